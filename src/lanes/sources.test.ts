// What machine code is kept by is all that makes it: modules that an emitter imports lie in the folder whose text is part
// of the name, so that no change of what an instruction means finds code of another day.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { emitterFolder } from "./sources.ts";

/** Errors say what is refused; they make no code. */
const OUTSIDE = new Set([new URL("../base/errors.ts", import.meta.url).href]);

/** Modules that are run for a module, itself too. */
function reached(from: URL, found = new Set<string>()): Set<string> {
  if (found.has(from.href) || OUTSIDE.has(from.href)) return found;
  found.add(from.href);
  const code = readFileSync(fileURLToPath(from), "utf8");
  const imports = code.matchAll(/^(?:import|export)\s[^;]*?from\s+"([^"]+)"/gm);
  for (const [, name] of imports) reached(new URL(name, from), found);
  return found;
}

test("an emitter imports nothing from outside the folder by which its code is kept", () => {
  const modules = reached(new URL("./x64/emit.ts", import.meta.url));
  assert.ok(modules.has(new URL("./ir.ts", import.meta.url).href));
  assert.ok(modules.size > 20, `${modules.size} modules`);
  assert.deepEqual(
    [...modules].filter((module) => !module.startsWith(emitterFolder.href)),
    [],
  );
});
