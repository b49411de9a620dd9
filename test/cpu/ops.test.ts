// Every op on the cpu executor against the reference, over shapes that leave tails in registers, chunks and pages, on
// every tier and with more threads than parts and fewer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { add, blockMax, graph, linear, silu } from "../../src/graph/index.ts";
import { matrix, trials, weight, weights } from "./op-trials.ts";
import { memoryStore } from "./stores.ts";
import { assertReference, outputsOf } from "./trial-runner.ts";
import { cpuTiers } from "./tiers.ts";

const all = Object.values(trials).flat();
/** Of each trial in `all`. */
const expected = await outputsOf(referenceExecutor, all, 1);

for (const executor of cpuTiers()) {
  describe(`ops on ${executor.tier} equal the reference`, async () => {
    const one = await outputsOf(executor, all, 1);
    const three = await outputsOf(executor, all, 3);
    for (const [name, list] of Object.entries(trials)) {
      it(`${name}, the same bytes with 1 and 3 threads`, () => {
        for (const trial of list) {
          const t = all.indexOf(trial);
          assertReference(trial, one[t], expected[t], name);
          assert.deepEqual(three[t], one[t]);
        }
      });
    }

    it("the largest of a block is NaN where it has a NaN or an infinity, wherever that stands", async () => {
      const COLUMNS = 35;
      const program = graph({ y: blockMax(matrix("x", COLUMNS), COLUMNS) });
      await using opened = await executor.open(memoryStore({}), { run: program }, { threads: 1 });
      const { run } = opened.programs;
      for (let column = 0; column < COLUMNS; column++) {
        run.inputs.x.fill(-2).fill(-Infinity, 0, COLUMNS);
        run.inputs.x[COLUMNS + column] = NaN;
        run.inputs.x[2 * COLUMNS + column] = Infinity;
        run.inputs.x[3 * COLUMNS + column] = -1;
        await run.run({ rows: 4 });
        assert.deepEqual([...run.outputs.y.subarray(0, 4)], [-Infinity, NaN, NaN, -1], `column ${column}`);
      }
    });

    it("a run of no rows leaves outputs as they were", async () => {
      const x = matrix("x", 20);
      const program = graph({ y: linear(silu(x), weight(1, "f32", 5, 20)) });
      await using opened = await executor.open(memoryStore(weights), { run: program }, { threads: 2 });
      const { run } = opened.programs;
      run.outputs.y.fill(3);
      await run.run({ rows: 0 });
      assert.ok(run.outputs.y.every((value) => value === 3));
    });

    it("writes no byte past the rows of a run", async () => {
      const y = add(matrix("a", 3), matrix("b", 3));
      await using opened = await executor.open(memoryStore({}), { run: graph({ y }) }, { threads: 2 });
      const { run } = opened.programs;
      run.outputs.y.fill(7);
      await run.run({ rows: 5 });
      assert.deepEqual([...run.outputs.y.subarray(0, 15)], Array(15).fill(0));
      assert.ok(run.outputs.y.subarray(15).every((value) => value === 7));
    });
  });
}
