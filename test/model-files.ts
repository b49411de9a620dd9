// Where the real models for `npm run test:models` are: the folder LIANG_TEST_MODELS names, else the user's cache. Tests
// that need one are skipped by name where it is not.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const root = process.env.LIANG_TEST_MODELS ?? join(homedir(), ".cache", "liang-test-models");

/** Path of a model, and the `skip` option of a test that needs it. */
export function modelFile(name: string): { readonly path: string; readonly skip: string | false } {
  const path = join(root, name);
  return { path, skip: existsSync(path) ? false : `needs ${name} (LIANG_TEST_MODELS)` };
}
