// Text files that are put into a message: read whole, refused when they are no text or too long, and written into the
// message as fenced code, so that the model sees where they begin and end.
export interface TextFile {
  readonly name: string;
  readonly text: string;
  readonly bytes: number;
}

export type ReadFile =
  | { readonly kind: "text"; readonly file: TextFile }
  | { readonly kind: "too-large" | "not-text"; readonly name: string; readonly bytes: number };

/** About 250,000 tokens: beyond every window that fits a home machine. */
export const FILE_BYTES_MAX = 1_000_000;

export async function readTextFile(file: File): Promise<ReadFile> {
  const { name, size: bytes } = file;
  if (bytes > FILE_BYTES_MAX) return { kind: "too-large", name, bytes };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (text.includes("\0")) return { kind: "not-text", name, bytes };
    return { kind: "text", file: { name, text, bytes } };
  } catch {
    return { kind: "not-text", name, bytes };
  }
}

/** The message with its files before it; `head` makes the line that names a file. */
export function withFiles(message: string, files: readonly TextFile[], head: (name: string) => string): string {
  const parts = files.map(({ name, text }) => {
    const language = /\.([a-z0-9]{1,10})$/i.exec(name)?.[1] ?? "";
    const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
    return `${head(name)}\n${fence}${language}\n${text.trimEnd()}\n${fence}`;
  });
  return [...parts, message].filter((part) => part !== "").join("\n\n");
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length));
