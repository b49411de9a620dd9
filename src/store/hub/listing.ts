// What files a repository on a hub has, with sizes and hashes, and where each is fetched. Two kinds of hub, one table:
// Hugging Face (and its mirrors) and ModelScope. What a hub answers is untrusted: checked here, field by field.
import * as z from "zod";
import { FormatError, NotFoundError } from "../../base/errors.ts";
import { type HubAccess, chunksOf, get, withRetries } from "./http.ts";

export interface HubFile {
  /** Inside the repository, with "/". */
  readonly path: string;
  readonly bytes: number;
  /** Of large files on Hugging Face, of all on ModelScope. */
  readonly sha256?: string;
  /** Of small files on Hugging Face: SHA-1 of git's blob header and the content. */
  readonly gitSha1?: string;
}

export interface HubKind {
  /** All files of the repository's main branch. Throws what `get` throws, FormatError. */
  list(access: HubAccess, id: string): Promise<HubFile[]>;
  /** Where a file is fetched. */
  fileUrl(access: HubAccess, id: string, path: string): string;
}

const PAGES_MAX = 100; // of a thousand files each
// Nothing has begun yet: who mistyped an address or has no network should hear of it within seconds.
const TRIES_MAX = 3;
const LISTING_BYTES_MAX = 32 * 2 ** 20;

const size = z.int().min(0);
const sha256 = z.string().transform((text) => (/^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined));

const huggingFaceTree = z.array(
  z.object({
    type: z.string(),
    path: z.string().min(1),
    size,
    oid: z.string().optional(),
    lfs: z.object({ oid: sha256, size }).optional(),
  }),
);

const huggingFace: HubKind = {
  async list(access, id) {
    const files: HubFile[] = [];
    let url: string | undefined = `${access.endpoint}/api/models/${id}/tree/main?recursive=true`;
    for (let page = 0; url !== undefined && page < PAGES_MAX; page++) {
      const { body, response }: { body: unknown; response: Response } = await getJson(url, access, id);
      for (const { type, path, size: bytes, oid, lfs } of check(url, huggingFaceTree, body)) {
        if (type !== "file") continue;
        if (lfs !== undefined)
          files.push({ path, bytes: lfs.size, ...(lfs.oid === undefined ? {} : { sha256: lfs.oid }) });
        else files.push({ path, bytes, ...(oid !== undefined && /^[0-9a-f]{40}$/.test(oid) ? { gitSha1: oid } : {}) });
      }
      url = nextPage(response, url);
    }
    return files;
  },
  fileUrl: (access, id, path) => `${access.endpoint}/${id}/resolve/main/${encodePath(path)}`,
};

const modelScopeFiles = z.object({
  Code: z.int(),
  Message: z.string().nullish(),
  Data: z
    .object({
      Files: z
        .array(z.object({ Type: z.string(), Path: z.string().min(1), Size: size, Sha256: sha256.nullish() }))
        .nullish(),
    })
    .nullish(),
});

const modelScope: HubKind = {
  async list(access, id) {
    const url = `${access.endpoint}/api/v1/models/${id}/repo/files?Revision=master&Recursive=true`;
    const { body } = await getJson(url, access, id);
    const { Code: code, Data: data, Message: message } = check(url, modelScopeFiles, body);
    // Failures may come as HTTP 200 with a code of their own.
    if (code !== 200 || data?.Files == null) {
      throw new NotFoundError(`${new URL(url).host} has no ${id} (${message || `code ${code}`}).`);
    }
    return data.Files.filter((file) => file.Type === "blob").map(({ Path: path, Size: bytes, Sha256: hash }) => ({
      path,
      bytes,
      ...(hash == null ? {} : { sha256: hash }),
    }));
  },
  fileUrl: (access, id, path) => `${access.endpoint}/models/${id}/resolve/master/${encodePath(path)}`,
};

export const hubKinds = { huggingface: huggingFace, modelscope: modelScope } satisfies Record<string, HubKind>;
export type HubKindName = keyof typeof hubKinds;

async function getJson(url: string, access: HubAccess, id: string): Promise<{ body: unknown; response: Response }> {
  const { attempts = TRIES_MAX } = access;
  return withRetries({ ...access, attempts: Math.min(attempts, TRIES_MAX) }, async () => {
    const response = await get(url, access, id);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of chunksOf(response, access.signal)) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > LISTING_BYTES_MAX)
        throw new FormatError(url, "size", "more", `${LISTING_BYTES_MAX} bytes at most`);
    }
    try {
      return { body: JSON.parse(text) as unknown, response };
    } catch (cause) {
      const hint = "Is --endpoint (or HF_ENDPOINT) a hub's address?";
      throw new FormatError(url, "answer", text.slice(0, 40), "a list of files as JSON", { cause, hint });
    }
  });
}

function check<T extends z.ZodType>(url: string, schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new FormatError(url, path.join(".") || "answer", message, "what a hub lists of a file");
}

/** The address in a Link header with rel="next", on the same host only. */
function nextPage(response: Response, url: string): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  if (link === undefined || !URL.canParse(link, url)) return undefined;
  // A mirror passes on the original's links: the path is what counts.
  const { pathname, search } = new URL(link, url);
  return new URL(pathname + search, url).href;
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
