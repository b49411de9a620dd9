// Writing a file so that it is there whole or not at all: bytes go to a temporary name beside it, then fsync, rename.
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FormatError, ShapeError, UsageError } from "../../base/errors.ts";
import type { Platform } from "../platform.ts";
import { fileFacts } from "./files.ts";
import { hostError } from "./host-error.ts";

let writersStarted = 0;

export const createFileWriter: Platform["createFileWriter"] = async (path) => {
  const facts = await fileFacts(path);
  if (facts !== undefined && facts.kind !== "file") throw new FormatError(path, "kind", facts.kind, "a file");
  const temporary = `${path}.${process.pid}-${writersStarted++}.part`;
  const handle = await open(temporary, "wx").catch((error: unknown) => hostError("write", path, error));
  let position = 0;
  let ended = false;

  const write = async (bytes: Uint8Array, at: number) => {
    if (ended) throw new UsageError(`${path} is already finished or discarded; nothing can be written to it.`);
    for (let done = 0; done < bytes.byteLength;) {
      const { bytesWritten } = await handle
        .write(bytes, done, bytes.byteLength - done, at + done)
        .catch((error: unknown) => hostError("write", path, error));
      done += bytesWritten;
    }
  };
  const discard = async () => {
    if (ended) return;
    ended = true;
    await handle.close();
    await rm(temporary, { force: true });
  };

  return {
    get position() {
      return position;
    },
    async append(bytes) {
      const at = position;
      position += bytes.byteLength;
      await write(bytes, at);
    },
    async patch(offset, bytes) {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset + bytes.byteLength > position) {
        throw new ShapeError(`patch of ${path}`, `${offset}..${offset + bytes.byteLength}`, `inside ${position} bytes`);
      }
      await write(bytes, offset);
    },
    async finish() {
      if (ended) throw new UsageError(`${path} is already finished or discarded.`);
      try {
        await handle.sync();
      } catch (error) {
        await discard();
        hostError("write", path, error);
      }
      ended = true;
      await handle.close();
      try {
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        hostError("write", path, error);
      }
      await syncFolder(dirname(path));
    },
    discard,
    [Symbol.asyncDispose]: discard,
  };
};

/** Makes the rename last. Some systems cannot open or sync a folder; the file itself is on the disk already. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}
