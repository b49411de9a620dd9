// Where poems are read from: a checkout of chinese-poetry/chinese-poetry (`git clone`), a folder or archive (.tar.xz) with
// its files, and JSON lines of title, author, text (.jsonl, .jsonl.xz). Archives are unpacked by the programs tar and xz.
import { execFileSync, spawn } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { LiangError, NotFoundError, UsageError } from "../../src/base/errors.ts";

export interface RawPoem {
  readonly kind: "poem" | "ci";
  readonly dynasty: "唐" | "宋";
  /** Of a ci: its tune. */
  readonly title: string;
  readonly author: string;
  /** As the source has it: its script, brackets and notes. */
  readonly text: string;
}

interface FileKind {
  readonly pattern: RegExp;
  readonly kind: RawPoem["kind"];
  readonly dynasty: RawPoem["dynasty"];
}

/** Files of the data set that are read, in this order; others of it are no poems of these kinds. */
const FILES: readonly FileKind[] = [
  { pattern: /^poet\.tang\.\d+\.json$/, kind: "poem", dynasty: "唐" },
  { pattern: /^poet\.song\.\d+\.json$/, kind: "poem", dynasty: "宋" },
  { pattern: /^song-poems\.jsonl(\.xz)?$/, kind: "poem", dynasty: "宋" },
  { pattern: /^ci\.song\.\w+\.json$/, kind: "ci", dynasty: "宋" },
];

/** All poems under `paths`, kind by kind, files in the order of their numbers. Throws NotFoundError, UsageError. */
export async function* readPoems(paths: readonly string[]): AsyncGenerator<RawPoem> {
  const folders: string[] = [];
  try {
    const files = paths.flatMap((path) => filesAt(path, folders));
    const chosen = FILES.flatMap((kind) =>
      files
        .filter((path) => kind.pattern.test(basename(path)))
        .sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1))
        .map((path) => ({ path, kind })),
    );
    if (chosen.length === 0) {
      throw new UsageError(`There are no poems in ${paths.join(", ")}.`, {
        field: "from",
        hint: "Expected files such as poet.tang.0.json, ci.song.0.json or song-poems.jsonl.",
      });
    }
    for (const { path, kind } of chosen) yield* poemsOf(path, kind);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

const numberOf = (path: string): number => Number(/\.(\d+)\.json$/.exec(path)?.[1] ?? Infinity);

function filesAt(path: string, folders: string[]): string[] {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) throw new NotFoundError(`There is no file or folder ${path}.`);
  if (facts.isFile() && !path.endsWith(".tar.xz")) return [path];
  let folder = path;
  if (facts.isFile()) {
    folder = mkdtempSync(join(tmpdir(), "poems-"));
    folders.push(folder);
    execFileSync("tar", ["-xJf", path, "-C", folder]);
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

interface Entry {
  readonly title?: string;
  readonly rhythmic?: string;
  readonly author?: string;
  readonly text?: string;
  readonly paragraphs?: readonly string[];
}

async function* poemsOf(path: string, { kind, dynasty }: FileKind): AsyncGenerator<RawPoem> {
  for await (const entry of path.endsWith(".json") ? entriesOf(path) : linesOf(path)) {
    const { title, rhythmic, author, text, paragraphs } = entry;
    yield {
      kind,
      dynasty,
      title: (kind === "ci" ? rhythmic : title) ?? "",
      author: author ?? "",
      text: text ?? (paragraphs ?? []).join(""),
    };
  }
}

const entriesOf = (path: string): Entry[] => JSON.parse(readFileSync(path, "utf8")) as Entry[];

async function* linesOf(path: string): AsyncGenerator<Entry> {
  const unpacking = path.endsWith(".xz")
    ? spawn("xz", ["-dc", path], { stdio: ["ignore", "pipe", "inherit"] })
    : undefined;
  const ended =
    unpacking && new Promise<number | null>((resolve, reject) => unpacking.on("close", resolve).on("error", reject));
  for await (const line of createInterface({
    input: unpacking?.stdout ?? createReadStream(path),
    crlfDelay: Infinity,
  })) {
    if (line !== "") yield JSON.parse(line) as Entry;
  }
  const code = await ended;
  if (code !== undefined && code !== 0) throw new LiangError("unpack_failed", `xz ended with ${code} on ${path}.`);
}
