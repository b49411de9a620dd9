// Every case from a folder to GGUF and back, in every float type and by either form of its config.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRoundTrip, convertible, settingsAgain } from "../convert/round-trips.ts";

for (const name of convertible) {
  for (const type of ["f32", "f16", "bf16"] as const) {
    test(`${name} keeps every bit in ${type}, and its settings`, () => checkRoundTrip(name, type));
  }
  test(`${name}: the config of new releases of transformers is read as the old one`, async () => {
    const [found, expected] = [
      await settingsAgain(name, "config.json"),
      await settingsAgain(name, "config.legacy.json"),
    ];
    assert.deepEqual(found, expected);
  });
}
