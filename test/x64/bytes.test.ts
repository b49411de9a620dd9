// One encoding of almost every mnemonic against the bytes that GNU as writes (test/golden/x64, with its origin), for
// machines without a disassembler.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assemble, chooseForm } from "../../src/lanes/x64/assemble.ts";
import { encodingCases } from "./cases.ts";
import { disassemblyOf } from "./disassembly.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/x64/encodings.json", import.meta.url), "utf8")) as {
  encodings: [assembly: string, bytes: string][];
};

test("encodings are those of GNU as", () => {
  const pool = new Uint8Array(128);
  const byText = new Map(
    encodingCases().map((instruction) => {
      const { form } = chooseForm({ name: "case", instructions: [], pool }, instruction);
      return [disassemblyOf(form, instruction, 0), instruction];
    }),
  );
  const ours = golden.encodings.map(([assembly, bytes]) => {
    const instruction = byText.get(assembly);
    assert.ok(instruction !== undefined, `no case reads ${assembly}`);
    const code = assemble({ name: "case", instructions: [instruction], pool: new Uint8Array(0) });
    return [assembly, Buffer.from(code.subarray(0, bytes.length / 2)).toString("hex")];
  });
  assert.deepEqual(ours, golden.encodings);
});
