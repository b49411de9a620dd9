// Makes copies of this package whose llama.cpp lacks some of its CPU libraries, so that it cannot use what they need:
// limited/no-amx (AVX-512 with VNNI and BF16 stays) and limited/avx2. llama.cpp takes the best library that it finds.
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
/** Names of CPU libraries that go. */
const variants = {
  "no-amx": /sapphirerapids/,
  avx2: /sapphirerapids|zen4|cooperlake|icelake|cascadelake|cannonlake|skylakex|alderlake/,
};

for (const [name, gone] of Object.entries(variants)) {
  const target = join(here, "limited", name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const file of ["side.mjs", "package.json"]) await cp(join(here, file), join(target, file));
  await cp(join(here, "node_modules"), join(target, "node_modules"), {
    recursive: true,
    filter: (path) => !/@node-llama-cpp\/(?!linux-x64$|linux-x64\/)[^/]+/.test(path),
  });
  const bins = join(target, "node_modules/@node-llama-cpp/linux-x64/bins");
  for (const build of await readdir(bins)) {
    for (const file of await readdir(join(bins, build))) {
      if (file.startsWith("libggml-cpu-") && gone.test(file)) await rm(join(bins, build, file));
    }
  }
}
