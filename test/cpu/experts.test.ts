// Mixtures of experts on the cpu executor: against the reference on every tier, with rounded activations near it, and the
// same bytes for a row whatever the threads and whatever others choose.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { lower } from "../../src/device/cpu/lower.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { graph } from "../../src/graph/index.ts";
import { wasmMachine } from "../../src/lanes/index.ts";
import { type ExpertShape, mixture, mixtures, trials } from "./expert-trials.ts";
import { tileMachine } from "./machines.ts";
import { type Trial, weights } from "./op-trials.ts";
import { memoryStore } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";
import { assertReference, outputsOf } from "./trial-runner.ts";

const all = Object.values(trials).flat();
const expected = await outputsOf(referenceExecutor, all, 1);
const rounded = mixtures(["bf16", "q8_0", "mxfp4"], true);
const expectedOfRounded = await outputsOf(referenceExecutor, rounded, 1);
/** int8 blocks and bf16 tiles, three products one after the other; as a share of the largest. */
const ROUNDED = 3e-2;

const shape: ExpertShape = { bound: 64, rows: 50, experts: 6, count: 2, width: 256, forward: 512, format: "q4_k" };

/** The rows from `first` on. */
function rowsOf(trial: Trial, first: number, rows: number): Trial {
  const inputs = Object.entries(trial.inputs).map(([name, values]) => {
    const each = values.length / trial.extents.rows;
    return [name, values.slice(first * each, (first + rows) * each)] as const;
  });
  return { ...trial, inputs: Object.fromEntries(inputs), extents: { rows } };
}

async function expectRowsAlone(executor: Executor, bound: number, rows: number): Promise<void> {
  const whole = mixture({ ...shape, bound, rows }, true);
  const some = [0, rows - 1].map((first) => rowsOf(whole, first, 1));
  const [together, ...alone] = await outputsOf(executor, [whole, ...some], 2, "fast");
  const width = together.y.length / rows;
  assert.deepEqual(alone[0].y, together.y.subarray(0, width));
  assert.deepEqual(alone[1].y, together.y.subarray((rows - 1) * width));
}

for (const executor of cpuTiers()) {
  describe(`mixtures of experts on ${executor.tier}`, async () => {
    const one = await outputsOf(executor, all, 1);
    const three = await outputsOf(executor, all, 3);
    for (const [name, list] of Object.entries(trials)) {
      it(`${name} equal the reference, the same bytes with 1 and 3 threads`, () => {
        for (const trial of list) {
          const t = all.indexOf(trial);
          assertReference(trial, one[t], expected[t], `${name} ${list.indexOf(trial)}`);
          assert.deepEqual(three[t], one[t]);
        }
      });
    }

    it("rounded activations give nearly the same", async () => {
      const found = await outputsOf(executor, rounded, 2, "fast");
      for (const [t, trial] of rounded.entries()) {
        assertReference({ ...trial, tolerance: ROUNDED }, found[t], expectedOfRounded[t], `mixture ${t}`);
      }
    });

    it("a row gives the same bytes alone and in company, in decoding and in a prompt", async () => {
      await expectRowsAlone(executor, 8, 8);
      await expectRowsAlone(executor, 64, 50);
    });

    it("what is no number chooses experts that there are", async () => {
      const trial = trials.routing[1];
      const inputs = { x: trial.inputs.x.slice().fill(NaN) };
      const [{ bias }] = await outputsOf(executor, [{ ...trial, inputs }], 1);
      assert.ok(bias.every(Number.isFinite));
    });
  });
}

describe("a mixture of experts", () => {
  const lowered = async (bound: number, machine = wasmMachine) => {
    const { outputs } = mixture({ ...shape, bound }, true);
    const { parameters } = memoryStore(weights);
    return lower(graph(outputs), { machine, parameters, precision: "fast" });
  };
  const stepsOf = async (...what: Parameters<typeof lowered>): Promise<string[]> =>
    (await lowered(...what)).steps.map(({ kernel }) => kernel.name);

  it("is four steps for a few rows besides rounding: grouping, the gate, the way down, the sum", async () => {
    assert.deepEqual(await stepsOf(8), [
      "groupRows",
      "quantize",
      "expert.linear.q4_k.int8+q4_k.int8.gate.silu.only.rounded",
      "expert.linear.q4_k.int8.none",
      "mixParts",
    ]);
  });

  it("is as few for a prompt", async () => {
    const panels = ["expert.linear.q4_k.panel.silu", "expert.linear.q4_k.panel", "mixParts"];
    assert.deepEqual(await stepsOf(64), ["groupRows", "roundPanels", ...panels]);
    const tiles = ["expert.q4_k.tiles.silu", "expert.q4_k.tiles", "mixParts"];
    assert.deepEqual(await stepsOf(64, tileMachine), ["groupRows", "expert.packTiles", ...tiles]);
  });

  it("reads of its weights those of the experts that a row chooses", async () => {
    const { experts, count, width, forward } = shape;
    const perExpert = 3 * width * forward * (148 / 256); // a super-block of q4_k with its scales as f32
    assert.equal((await lowered(8)).bytesPerToken, count * perExpert);
    assert.ok(count < experts);
  });
});
