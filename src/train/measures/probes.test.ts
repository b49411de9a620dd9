import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MicroBatch } from "../micro-batch.ts";
import { type AskModel, askProbes, prepareProbes, readProbes } from "./probes.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-probes-"));
after(() => rm(folder, { recursive: true }));

const codeOf = (character: string): number => character.codePointAt(0)!;

/** A token a character, after a beginning 1. */
const tokenizer = {
  encode: (text: string) => Array.from(text, codeOf),
  addBos: true,
  specials: { bos: 1 },
} as never;
const probes = [
  { prompt: "ab", choices: ["c", "d"], answer: 0 },
  { prompt: "", choices: ["xy", "zz"], answer: 1 },
];

/** Finds a token the likelier the larger it is. */
const askLargest: AskModel = async (batch: MicroBatch) =>
  Float32Array.from(batch["targets"] as Int32Array, (id) => id - 200);

test("each choice is a document of its own, of which only the choice is a target", () => {
  const { batches } = prepareProbes(probes, tokenizer, { rows: 6, window: 9 });
  const [a, b, c, d, x, y, z] = Array.from("abcdxyz", codeOf);
  assert.equal(batches.length, 2);
  const [first, second] = batches.map(({ batch }) => batch);
  assert.deepEqual([...first.ids], [1, a, b, 1, a, b]);
  assert.deepEqual([...first.starts], [0, 0, 0, 3, 3, 3]);
  assert.deepEqual([...first.outputRows], [2, 5]);
  assert.deepEqual([...(first["targets"] as Int32Array)], [c, d]);
  assert.deepEqual([...second.ids], [1, x, 1, z]);
  assert.deepEqual([...(second["targets"] as Int32Array)], [x, y, z, z]);
});

test("right is what is likelier than all others, and the right answers' loss is told", async () => {
  const prepared = prepareProbes(probes, tokenizer, { rows: 64, window: 64 });
  const found = await askProbes(prepared, askLargest);
  assert.deepEqual([found.right, found.questions], [1, 2]); // "zz" over "xy", but "d" over "c"
  const [c, z] = Array.from("cz", (character) => 200 - codeOf(character));
  assert.ok(Math.abs(found.nats_per_token - (c + 2 * z) / 3) < 1e-5);
  const equal = await askProbes(prepared, async ({ outputRows }) => new Float32Array(outputRows.length));
  assert.equal(equal.right, 0); // of equals none is the likeliest
});

test("a file of probes is checked line by line", async () => {
  const path = join(folder, "probes.jsonl");
  await writeFile(path, `${probes.map((probe) => JSON.stringify(probe)).join("\n")}\n\n`);
  assert.deepEqual(await readProbes(path), probes);
  for (const [line, complaint] of [
    ["{", /line 2/],
    ['{"prompt":"a","choices":["b"],"answer":0}', /line 2, choices/],
    ['{"prompt":"a","choices":["b","c"],"answer":2}', /line 2.*one of the choices/],
  ] as const) {
    await writeFile(path, `${JSON.stringify(probes[0])}\n${line}\n`);
    await assert.rejects(readProbes(path), complaint);
  }
  assert.throws(
    () => prepareProbes([{ ...probes[0], prompt: "a".repeat(9) }], tokenizer, { rows: 64, window: 8 }),
    /Probe 1 has 11/,
  );
});
