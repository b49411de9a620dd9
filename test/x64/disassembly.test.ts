// Every row of the instruction table against a disassembler's reading of the bytes; skipped by name where there is no
// objdump (golden bytes are checked everywhere, by bytes.test.ts).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assemble, chooseForm } from "../../src/lanes/x64/assemble.ts";
import { forms } from "../../src/lanes/x64/table.ts";
import { encodingCases } from "./cases.ts";
import { disassemblyOf, normalised } from "./disassembly.ts";

const POOL_BYTES = 128;
/** The first version that writes broadcasts as DWORD BCST. */
const LEAST_VERSION = 2.38;

const version = Number(/ (\d+\.\d+)/.exec(spawnSync("objdump", ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1]);
const skip = version >= LEAST_VERSION ? false : `objdump (binutils ${LEAST_VERSION} or later) is not installed`;

function objdump(code: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), "liang-x64-"));
  try {
    const file = join(folder, "code.bin");
    writeFileSync(file, code);
    const options = ["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "-w", "--no-show-raw-insn"];
    const text = execFileSync("objdump", [...options, file], { encoding: "utf8", maxBuffer: 2 ** 28 });
    return text.split("\n").filter((line) => /^\s*[0-9a-f]+:\s/.test(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("objdump reads every encoding as what was meant", { skip }, () => {
  const instructions = encodingCases();
  const listing = { name: "cases", instructions, pool: new Uint8Array(POOL_BYTES) };
  const code = assemble(listing);
  const poolAt = code.length - POOL_BYTES;
  const lines = objdump(code).map(normalised);
  const wrong: string[] = [];
  instructions.forEach((instruction, i) => {
    const expected = disassemblyOf(chooseForm(listing, instruction).form, instruction, poolAt);
    if (lines[i] !== expected) wrong.push(`${expected}  <>  ${lines[i]}`);
  });
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(lines.slice(instructions.length).every((line) => line === "int3" || line.startsWith("add ")));
});

test("every row of the table is the first that fits some instruction", () => {
  const instructions = encodingCases();
  const listing = { name: "cases", instructions, pool: new Uint8Array(POOL_BYTES) };
  const chosen = new Set(instructions.map((instruction) => chooseForm(listing, instruction).form));
  const unused = forms.filter((form) => !chosen.has(form) && form.roles[0]?.place !== "jump");
  assert.deepEqual(
    unused.map(({ name, roles }) => `${name} ${roles.map(({ letter }) => letter).join(",")}`),
    [],
  );
});
