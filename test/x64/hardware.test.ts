// The emulator against this machine's processor: every instruction of the table that it has, over special and random
// operands, in registers, memory, broadcast and under masks. What the processor lacks is skipped by name.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assemble, chooseForm } from "../../src/lanes/x64/assemble.ts";
import type { Instruction, Listing } from "../../src/lanes/x64/instruction.ts";
import { showInstruction } from "../../src/lanes/x64/show.ts";
import { forms } from "../../src/lanes/x64/table.ts";
import { native } from "#platform";
import { emulate, knows } from "./emulator/emulate.ts";
import { featuresOf } from "./features.ts";
import { fillOperands } from "./operand-data.ts";
import { BLOCK_BYTES, instructionsOf, jumpProgram, program } from "./programs.ts";

const ROUNDS = 4;
const host = native();
const features: ReadonlySet<string> = "reason" in host ? new Set() : host.features;

interface Case {
  readonly instruction: Instruction;
  readonly needs: string;
}

const empty: Listing = { name: "case", instructions: [], pool: new Uint8Array(0) };
const cases: Case[] = forms
  .filter(({ name }) => !/^(t(ile|dp)|ldtilecfg|ret|jmp)/.test(name))
  .flatMap((form) => form.bits.flatMap((bits) => instructionsOf(form, bits as Instruction["bits"])))
  .map((instruction) => {
    const { form, extended } = chooseForm(empty, instruction);
    return { instruction, needs: [...new Set(featuresOf(instruction, form, extended))].join(" ") };
  });

/** Runs code natively over a copy of `bytes`. */
function execute(code: Uint8Array, bytes: Uint8Array): Uint8Array {
  if ("reason" in host) throw new Error(host.reason);
  using memory = host.allocate(bytes.length);
  memory.view.set(bytes);
  using region = host.makeExecutable(code);
  host.callable(region.address)(memory.address, 0, 1, 0);
  return memory.view.slice(0, bytes.length);
}

function check(group: readonly Case[]): void {
  const wide = features.has("avx512f") && features.has("avx512bw");
  const instructions = group.flatMap(({ instruction }, block) =>
    instruction.operands[0]?.kind === "target"
      ? jumpProgram(instruction.name, block)
      : program(instruction, block, wide),
  );
  const end: Instruction = { name: "ret", bits: 0, operands: [] };
  const listing = { ...empty, instructions: [...instructions, end] };
  const code = assemble(listing);
  const wrong = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const before = new Uint8Array(group.length * BLOCK_BYTES);
    for (let at = 0; at < before.length; at += BLOCK_BYTES / 2) {
      if (at % BLOCK_BYTES === 0)
        fillOperands(before.subarray(at, at + BLOCK_BYTES / 2), 1000 * round + at / BLOCK_BYTES);
    }
    const emulated = before.slice();
    emulate(listing, emulated.buffer, { record: 0, part: 0, parts: 1, scratch: 0 });
    const real = execute(code, before);
    const [found, expected] = [emulated, real].map((bytes) => new Uint32Array(bytes.buffer));
    found.forEach((word, i) => {
      if (word === expected[i]) return;
      const { instruction } = group[Math.floor((4 * i) / BLOCK_BYTES)];
      const hex = (word: number): string => word.toString(16).padStart(8, "0");
      wrong.set(showInstruction(instruction), `at ${(4 * i) % BLOCK_BYTES} ${hex(word)}, not ${hex(expected[i])}`);
    });
  }
  assert.deepEqual([...wrong].slice(0, 10), []);
}

test("the emulator knows every instruction of the table", () => {
  assert.deepEqual(
    forms.filter(({ name }) => !knows(name)).map(({ name }) => name),
    [],
  );
});

describe("the emulator agrees with the processor", () => {
  for (const [needs, group] of Map.groupBy(cases, ({ needs }) => needs)) {
    const missing = needs.split(" ").filter((feature) => feature !== "" && !features.has(feature));
    const skip =
      "reason" in host ? host.reason : missing.length > 0 ? `the processor lacks ${missing.join(", ")}` : false;
    test(needs === "" ? "general instructions" : needs, { skip }, () => check(group));
  }
});
