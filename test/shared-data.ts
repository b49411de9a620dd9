// Where the large reference data is: the folder LIANG_SHARED names, else `shared` beside the checkout. Tests that need
// it are skipped by name where it is not; what the project must hold without it lies in test/golden.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = process.env.LIANG_SHARED ?? resolve(import.meta.dirname, "../../shared");

/** Path of a file or folder of the reference data, and the `skip` option of a test that needs it. */
export function sharedData(path: string): { readonly path: string; readonly skip: string | false } {
  const full = join(root, "data", path);
  return { path: full, skip: existsSync(full) ? false : `needs ${path} of the reference data (LIANG_SHARED)` };
}
