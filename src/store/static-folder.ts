// Read-only access to a folder of files by URL-like paths, for serving a built page. A path that leaves the folder, in
// any spelling or through a symbolic link, is not there.
import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

export interface StaticFolder {
  /** The bytes at `path` ("assets/page.js", no leading slash); undefined when there is no such file inside. */
  read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Opens the folder; it need not be there (nothing is found then). */
export function openStaticFolder(root: string): StaticFolder {
  return {
    async read(path) {
      if (!path.split("/").every((segment) => SEGMENT.test(segment))) return undefined;
      try {
        const [base, real] = await Promise.all([realpath(root), realpath(join(root, path))]);
        if (!real.startsWith(base + sep) || !(await stat(real)).isFile()) return undefined;
        return new Uint8Array(await readFile(real));
      } catch {
        return undefined; // not there, or not readable: the same to whoever asks
      }
    },
  };
}
