// Small files read whole, over any host's way to open one. Not here: opening (node/files.ts, browser/files.ts).
import { FormatError } from "../base/errors.ts";
import type { Platform } from "./platform.ts";

/** `readBytes` and `readText` of a platform, by its `openFile`. */
export function wholeFiles(openFile: Platform["openFile"]): Pick<Platform, "readBytes" | "readText"> {
  const readBytes: Platform["readBytes"] = async (path, bytesMax) => {
    const source = await openFile(path);
    try {
      if (source.size > bytesMax)
        throw new FormatError(path, "size", `${source.size} bytes`, `at most ${bytesMax} bytes`);
      const bytes = new Uint8Array(source.size);
      await source.read(0, bytes);
      return bytes;
    } finally {
      await source.close();
    }
  };
  return {
    readBytes,
    async readText(path, bytesMax) {
      const bytes = await readBytes(path, bytesMax);
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch (cause) {
        throw new FormatError(path, "text", "bytes that are no UTF-8", "UTF-8", { cause });
      }
    },
  };
}
