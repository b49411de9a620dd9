// Machine code of tests' models: emitted once for all files of a test run and for later ones, by the same rules as what a
// person's models run (store/code-cache.ts), so an emitter that changed finds nothing of another.
import { join } from "node:path";
import process from "node:process";
import { emitterFolder } from "../../src/lanes/sources.ts";
import { type CodeCache, openCodeCache } from "../../src/store/code-cache.ts";

/** Every kernel of every tier, at several sizes. */
const FILES_MAX = 4000;

const home = process.env.LIANG_HOME;
const onDisk =
  home === undefined ? undefined : openCodeCache(join(home, "test-code"), emitterFolder, { filesMax: FILES_MAX });
const kept = new Map<string, Uint8Array>();

export const codes: CodeCache = {
  find(source) {
    const found = kept.get(source) ?? onDisk?.find(source);
    if (found !== undefined) kept.set(source, found);
    return found;
  },
  keep(source, code) {
    kept.set(source, code);
    onDisk?.keep(source, code);
  },
};
