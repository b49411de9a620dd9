// What the cpu executor has no kernel for is refused when a graph is lowered, so before anything of the model is read, and
// the error says what to do.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnsupportedError } from "../../src/base/errors.ts";
import { lower } from "../../src/device/cpu/lower.ts";
import { chooseTier, findTier, tierNames } from "../../src/device/cpu/tiers.ts";
import { type Tensor, attention, graph, input, state, writeRows } from "../../src/graph/index.ts";
import { wasmMachine } from "../../src/lanes/index.ts";
import { tileMachine } from "./machines.ts";

const PAGE = 16;

interface AttentionSizes {
  readonly bound: number;
  readonly headSize: number;
  readonly valueSlots?: string;
}

function attentionOf({ bound, headSize, valueSlots = "slots" }: AttentionSizes): Tensor {
  const rows = { name: "rows", bound };
  const slots = new Map(["slots", valueSlots].map((name) => [name, input(name, [rows], "i32")]));
  const cached = (name: string, at: string): Tensor =>
    writeRows(state(name, [4 * PAGE, headSize], "f16"), slots.get(at)!, input(`${name}Rows`, [rows, headSize], "f32"));
  return attention(
    {
      q: input("q", [rows, headSize], "f32"),
      keys: cached("keys", "slots"),
      values: cached("values", valueSlots),
      pages: input("pages", [{ name: "sequences", bound: 1 }, 4], "i32"),
      positions: input("positions", [rows], "i32"),
      sequences: input("sequences", [rows], "i32"),
    },
    { heads: 1, kvHeads: 1, scale: 1, pageSize: PAGE },
  );
}

/** Two attentions over one cache. */
function twiceRead(): Record<string, Tensor> {
  const first = attentionOf({ bound: 8, headSize: 16 });
  const [q, keys, values, pages, positions, sequences] = first.inputs;
  const attributes = { heads: 1, kvHeads: 1, scale: 2, pageSize: PAGE };
  return { first, second: attention({ q, keys, values, pages, positions, sequences }, attributes) };
}

const x = (columns: number): Tensor => input("x", [{ name: "rows", bound: 8 }, columns], "f32");
const HUGE = 1 << 16;

const refused: Readonly<Record<string, () => Record<string, Tensor>>> = {
  "heads that scratch does not hold, decoding": () => ({ y: attentionOf({ bound: 8, headSize: HUGE }) }),
  "heads that scratch does not hold, in a prompt": () => ({ y: attentionOf({ bound: 64, headSize: HUGE }) }),
  "a cache that is read twice": twiceRead,
  "keys and values at slots of their own": () => ({ y: attentionOf({ bound: 8, headSize: 16, valueSlots: "others" }) }),
  "a leaf as an output": () => ({ x: x(16) }),
};

describe("what is refused", () => {
  for (const [what, outputs] of Object.entries(refused)) {
    for (const [name, machine] of Object.entries({ wasm: wasmMachine, tiles: tileMachine })) {
      it(`${what}, on ${name}: with a sentence that says what to do`, async () => {
        const lowered = async () =>
          await lower(graph(outputs()), { machine, parameters: new Map(), precision: "fast" });
        await assert.rejects(lowered, (error) => error instanceof UnsupportedError && error.hint !== undefined);
      });
    }
  }

  it("a tier that is not here, too", () => {
    for (const name of tierNames.filter((name) => typeof findTier(name) === "string")) {
      assert.throws(
        () => chooseTier(name),
        (error) => error instanceof UnsupportedError && error.hint !== undefined,
      );
    }
  });
});
