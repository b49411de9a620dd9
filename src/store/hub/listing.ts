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

/** What a hub keeps in repositories, as their addresses call it. */
export type RepositoryKind = "models" | "datasets";

export interface HubKind {
  /** All files of the repository's main branch. Throws what `get` throws, FormatError. */
  list(access: HubAccess, what: RepositoryKind, id: string): Promise<HubFile[]>;
  /** Where a file is fetched. */
  fileUrl(access: HubAccess, what: RepositoryKind, id: string, path: string): string;
}

const PAGES_MAX = 100;
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
  async list(access, what, id) {
    const files: HubFile[] = [];
    let url: string | undefined = `${access.endpoint}/api/${what}/${id}/tree/main?recursive=true`;
    for (let page = 0; url !== undefined; page++) {
      if (page === PAGES_MAX) throw tooMany(url);
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
  fileUrl({ endpoint }, what, id, path) {
    const start = what === "models" ? endpoint : `${endpoint}/${what}`;
    return `${start}/${id}/resolve/main/${encodePath(path)}`;
  },
};

const modelScopeFile = z.object({ Type: z.string(), Path: z.string().min(1), Size: size, Sha256: sha256.nullish() });
type ModelScopeFile = z.output<typeof modelScopeFile>;
const modelScopeFiles = z.object({
  Code: z.int(),
  Message: z.string().nullish(),
  Data: z.object({ Files: z.array(modelScopeFile).nullish() }).nullish(),
});

/** Files a page of a data set's listing; models are listed at once. */
const MODEL_SCOPE_PAGE = 200;

const modelScope: HubKind = {
  async list(access, what, id) {
    const start = `${access.endpoint}/api/v1/${what}/${id}/repo`;
    const listed: ModelScopeFile[] = [];
    if (what === "models") {
      listed.push(...(await modelScopePage(`${start}/files?Revision=master&Recursive=true`, access, id)));
    } else {
      for (let page = 1; listed.length === (page - 1) * MODEL_SCOPE_PAGE; page++) {
        const url = `${start}/tree?Revision=master&Recursive=true&PageNumber=${page}&PageSize=${MODEL_SCOPE_PAGE}`;
        if (page > PAGES_MAX) throw tooMany(url);
        listed.push(...(await modelScopePage(url, access, id)));
      }
    }
    const files = listed.filter(({ Type: type }) => type === "blob");
    return files.map(({ Path: path, Size: bytes, Sha256: hash }) => ({
      path,
      bytes,
      ...(hash == null ? {} : { sha256: hash }),
    }));
  },
  fileUrl({ endpoint }, what, id, path) {
    if (what === "models") return `${endpoint}/models/${id}/resolve/master/${encodePath(path)}`;
    return `${endpoint}/api/v1/datasets/${id}/repo?Revision=master&FilePath=${encodeURIComponent(path)}`;
  },
};

async function modelScopePage(url: string, access: HubAccess, id: string): Promise<ModelScopeFile[]> {
  const { body } = await getJson(url, access, id);
  const { Code: code, Data: data, Message: message } = check(url, modelScopeFiles, body);
  // Failures may come as HTTP 200 with a code of their own.
  if (code !== 200 || data?.Files == null) {
    throw new NotFoundError(`${new URL(url).host} has no ${id} (${message || `code ${code}`}).`);
  }
  return data.Files;
}

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

const tooMany = (url: string): FormatError => new FormatError(url, "pages", "more", `${PAGES_MAX} at most`);

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
