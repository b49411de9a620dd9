// Runs trials of ops (op-trials.ts, training-trials.ts) and compares what executors give.
import assert from "node:assert/strict";
import type { Executor } from "../../src/device/executor.ts";
import { graph } from "../../src/graph/index.ts";
import { type Trial, weights } from "./op-trials.ts";
import { memoryStore } from "./stores.ts";

const F32 = 2 ** -22;

export type Outputs = Readonly<Record<string, Float32Array>>;

/** The outputs of each trial, all in one open model. */
export async function outputsOf(
  executor: Executor,
  trials: readonly Trial[],
  threads: number,
  precision: "f32" | "fast" = "f32",
): Promise<Outputs[]> {
  const graphs = Object.fromEntries(trials.map(({ outputs }, i) => [i, graph(outputs)]));
  await using opened = await executor.open(memoryStore(weights), graphs, { threads, precision });
  const results: Outputs[] = [];
  for (const [i, { outputs, inputs, extents }] of trials.entries()) {
    const program = opened.programs[i];
    for (const name of Object.keys(program.inputs)) program.inputs[name].set(inputs[name]);
    await program.run(extents);
    const leading = Object.entries(outputs).map(([name, { shape }]) => {
      const sizes = shape.map((size) => (typeof size === "number" ? size : extents[size.name]));
      return [
        name,
        program.outputs[name].slice(
          0,
          sizes.reduce((a, b) => a * b),
        ),
      ] as const;
    });
    results.push(Object.fromEntries(leading));
  }
  return results;
}

/** Outputs are the reference's but for f32 rounding. */
export function assertReference({ tolerance = F32 }: Trial, found: Outputs, expected: Outputs, what: string): void {
  for (const [name, values] of Object.entries(expected)) {
    const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-30);
    const off = values.findIndex((value, i) => !(Math.abs(found[name][i] - value) <= tolerance * most));
    if (off >= 0) assert.fail(`${what} ${name}[${off}]: ${found[name][off]}, not ${values[off]}`);
  }
}
