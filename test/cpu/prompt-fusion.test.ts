// Which steps a prompt becomes: what is computed on the way of a product, by the machine's facts and what else is read.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lower } from "../../src/device/cpu/lower.ts";
import { type Size, type Tensor, add, gatherMatmul, gelu, graph, input, leafName } from "../../src/graph/index.ts";
import { linear, multiply, parameter, rmsNorm, silu, state } from "../../src/graph/index.ts";
import { type Machine, wasmMachine } from "../../src/lanes/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { tileMachine as tiles } from "./machines.ts";

const [WIDTH, FORWARD] = [256, 512];

const weight = (name: string, outer: number, columns: number): Tensor => parameter(name, [outer, columns]);
const rows = { name: "rows", bound: 64 };

/** How a product is written: by a weight, or with an adapter beside it. */
type Product = (x: Tensor, weight: Tensor) => Tensor;

/** h + down(silu(gate n) * up n) for n = norm(h), as families write it. */
function feedForward(tap = false, product: Product = linear) {
  const h = input("h", [rows, WIDTH], "f32");
  const n = rmsNorm(h, parameter("gain", [WIDTH]), 1e-6);
  const gate = silu(product(n, weight("gate", FORWARD, WIDTH)));
  const fed = multiply(gate, product(n, weight("up", FORWARD, WIDTH)));
  const y = add(h, product(fed, weight("down", WIDTH, FORWARD)));
  return graph(tap ? { y, fed } : { y });
}

const RANK = 16;
/** An adapter that `choices` rows choose. */
function adapted(choices: Size): Product {
  const chosen = input("choices", [choices], "i32");
  return (x, by) => {
    const [outer, inner] = by.shape as readonly number[];
    const [a, b] = ["a", "b"].map((part) => `${leafName(by)}.${part}`);
    const low = gatherMatmul(x, state(a, [inner, RANK], "f32"), chosen);
    return gatherMatmul(low, state(b, [RANK, outer], "f32"), chosen, linear(x, by));
  };
}

/** A gate that no product computes on its way; one of them computes the activation. */
const MULTIPLIED = "map each, each, multiply 0 1: 2";

/** Names of the steps' kernels. */
async function stepsOf(
  machine: Machine,
  formats: Record<string, FormatName> = {},
  tap = false,
  product: Product = linear,
): Promise<string[]> {
  const shapes = { gain: [1, WIDTH], gate: [FORWARD, WIDTH], up: [FORWARD, WIDTH], down: [WIDTH, FORWARD] };
  const parameters = Object.entries(shapes).map(([name, [rows, columns]]) => {
    const format = name === "gain" ? ("f32" as const) : (formats[name] ?? "q4_k");
    return [name, { name, rows, columns, format, byteLength: 0 }] as const;
  });
  const precision = "fast";
  const { steps } = await lower(feedForward(tap, product), { machine, parameters: new Map(parameters), precision });
  return steps.map(({ kernel }) => kernel.name);
}

describe("a prompt's feed-forward layer", () => {
  it("is three steps with tiles: norm into tiles, the gated product, the one added to what came in", async () => {
    assert.deepEqual(await stepsOf(tiles), ["packTiles.rmsNorm", "linear.q4_k.tiles.silu", "linear.q4_k.tiles"]);
  });

  it("is three steps without them", async () => {
    const expected = ["roundPanels.rmsNorm", "linear.q4_k.panel.silu", "linear.q4_k.panel"];
    assert.deepEqual(await stepsOf(wasmMachine), expected);
  });

  it("is computed in f32 by f32 weights, on every machine", async () => {
    const formats = { gate: "f32", up: "f32", down: "f32" } as const;
    const expected = ["rmsNorm", "linear.f32.f32.panel.silu", "linear.f32.floats"];
    for (const machine of [tiles, wasmMachine]) assert.deepEqual(await stepsOf(machine, formats), expected);
  });

  it("multiplies on its own where gate and up are of two formats", async () => {
    assert.deepEqual(await stepsOf(tiles, { up: "q6_k" }), [
      "packTiles.rmsNorm",
      "linear.q4_k.tiles.then.silu",
      "linear.q6_k.tiles",
      MULTIPLIED,
      "packTiles",
      "linear.q4_k.tiles",
    ]);
  });

  it("keeps a value that somebody reads", async () => {
    const names = await stepsOf(tiles, {}, true);
    assert.ok(names.includes(MULTIPLIED), names.join(" "));
    assert.equal(names.at(-1), "linear.q4_k.tiles");
  });

  it("has its norm in both forms where products of two kinds read it", async () => {
    assert.deepEqual(await stepsOf(tiles, { gate: "f32" }), [
      "rmsNorm",
      "linear.f32.floats.then.silu",
      "packTiles",
      "linear.q4_k.tiles",
      MULTIPLIED,
      "packTiles",
      "linear.q4_k.tiles",
    ]);
  });

  it("has an adapter on the way of its products where all rows choose one; else the adapter's are their own", async () => {
    assert.deepEqual(await stepsOf(tiles, {}, false, adapted(1)), [
      "packTiles.rmsNorm",
      "lowRank.tiles.2",
      "linear.q4_k.tiles.silu.adapted",
      "lowRank.tiles.1",
      "linear.q4_k.tiles.adapted",
    ]);
    const own = ["gatherMatmul", "gatherMatmul.addend"];
    for (const names of [
      await stepsOf(tiles, {}, false, adapted(rows)),
      await stepsOf(wasmMachine, {}, false, adapted(1)),
    ]) {
      assert.equal(names.filter((name) => own.includes(name)).length, 6, names.join(" "));
    }
  });
});

describe("a feed-forward layer without a gate", () => {
  /** h + down(gelu(up h + b)). */
  const graphOf = () => {
    const h = input("h", [rows, WIDTH], "f32");
    const fed = gelu(linear(h, weight("up", FORWARD, WIDTH), parameter("bias", [FORWARD])));
    return graph({ y: add(h, linear(fed, weight("down", WIDTH, FORWARD))) });
  };
  const kernels = async (machine: Machine, format: FormatName) => {
    const shapes = { up: [FORWARD, WIDTH], down: [WIDTH, FORWARD], bias: [1, FORWARD] };
    const parameters = Object.entries(shapes).map(([name, [rows, columns]]) => {
      const stored = name === "bias" ? ("f32" as const) : format;
      return [name, { name, rows, columns, format: stored, byteLength: 0 }] as const;
    });
    const { steps } = await lower(graphOf(), { machine, parameters: new Map(parameters), precision: "fast" });
    return steps;
  };

  it("goes from product to product in tiles", async () => {
    const steps = await kernels(tiles, "bf16");
    const names = ["packTiles", "linear.bf16.tiles.formed.gelu", "linear.bf16.tiles"];
    assert.deepEqual(
      steps.map(({ kernel }) => kernel.name),
      names,
    );
    assert.equal(steps[1].words.out, steps[2].words.x);
  });

  it("computes its activation on the way in f32, where each product knows the weight that is read after it", async () => {
    const steps = await kernels(wasmMachine, "f32");
    assert.deepEqual(
      steps.map(({ kernel }) => kernel.name),
      ["linear.f32.floats.then.gelu", "linear.f32.floats"],
    );
    assert.equal(steps[0].words.following, steps[1].words.weight);
    assert.equal(steps[0].words.followingColumns, FORWARD);
  });
});
