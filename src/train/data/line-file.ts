// A file of JSON lines that appears whole or not at all, and its SHA-256.
import { createHash } from "node:crypto";
import { createFileWriter, joinPath } from "#platform";

const PIECE_UNITS = 1 << 20;

export interface FileSummary {
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface LineWriter extends AsyncDisposable {
  /** Writes a value as one line; resolves when there is room for more. */
  write(value: unknown): Promise<void>;
  /** Puts the file in its place. */
  finish(): Promise<FileSummary>;
}

/** A file `name` in `folder`; it has its name from `finish` on. */
export async function createLineWriter(folder: string, name: string): Promise<LineWriter> {
  const file = await createFileWriter(joinPath(folder, name));
  const hash = createHash("sha256");
  const encoder = new TextEncoder();
  let pending: string[] = [];
  let units = 0;

  async function flush(): Promise<void> {
    const bytes = encoder.encode(pending.join(""));
    pending = [];
    units = 0;
    hash.update(bytes);
    await file.append(bytes);
  }

  return {
    async write(value) {
      const line = `${JSON.stringify(value)}\n`;
      pending.push(line);
      units += line.length;
      if (units > PIECE_UNITS) await flush();
    },
    async finish() {
      await flush();
      const bytes = file.position;
      await file.finish();
      return { name, bytes, sha256: hash.digest("hex") };
    },
    [Symbol.asyncDispose]: () => file.discard(),
  };
}
