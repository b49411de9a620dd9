// What training an adapter saves is what PEFT opens: a tiny adapter of each kind beside a tiny model, whose logits PEFT
// gives as we do, with the adapter beside the weights and folded into them.
// Needs a Python that has torch, transformers and peft (LIANG_PYTHON, else python3); without it all is skipped by name.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openExecutor } from "../../src/chat/executors.ts";
import { load } from "../../src/index.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import type { Recipe } from "../../src/train/recipe.ts";
import { train } from "../../src/train/run.ts";
import { prepareTinyData, tinyRecipe } from "../train/tiny-run.ts";

const python = process.env["LIANG_PYTHON"] ?? "python3";
const skip =
  spawnSync(python, ["-c", "import torch, transformers, peft"]).status !== 0 &&
  `${python} has no torch, transformers and peft (LIANG_PYTHON names one that does)`;

const folder = await mkdtemp(join(tmpdir(), "liang-peft-"));
after(() => rm(folder, { recursive: true }));
if (skip === false) await prepareTinyData(folder);

async function run(recipe: Recipe, name: string): Promise<string> {
  await using prepared = await prepareRun(recipe, { threads: 1 });
  const checkpoints = join(folder, name);
  return (await train(prepared, { executor: await openExecutor("cpu"), checkpoints })).checkpoint;
}

const gpt2 = { model_type: "gpt2", n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64 };
const bases = new Map<string, Promise<string>>();
const baseOf = (family: "llama" | "gpt2"): Promise<string> => {
  const recipe = tinyRecipe(folder, ["steps=8"], family === "gpt2" ? { model: gpt2 } : {});
  const known = bases.get(family) ?? run(recipe, family);
  bases.set(family, known);
  return known;
};

const CASES = [
  ["llama", { rank: 4, alpha: 8 }],
  ["llama", { rank: 4, alpha: 8, rankStabilised: true, targets: ["q_proj", "mlp.down"] }],
  ["llama", { kind: "dora", rank: 4, alpha: 8 }],
  ["gpt2", { rank: 4, alpha: 8 }],
  ["gpt2", { rank: 4, alpha: 8, rankStabilised: true }],
] as const;

for (const [family, adapter] of CASES) {
  test(`${family}, ${JSON.stringify(adapter)}`, { skip }, async (t) => {
    const base = await baseOf(family);
    // steps that move it far, so that a factor that is wrong shows
    const settings = ["steps=12", "optimizer.matrices.rate=0.1"];
    const recipe = tinyRecipe(folder, settings, { model: base, tokenizer: undefined, adapter });
    const trained = await run(recipe, `adapter-${CASES.findIndex(([, one]) => one === adapter)}`);
    const exact = { executor: "reference", precision: "f32", kvType: "f32", slots: 1 } as const;
    await using ours = await load(base, { ...exact, adapter: trained });
    const ids = ours.tokenize("The cat sees a ball in the park.", { bos: true });
    const logits = await ours.logits(ids);
    const script = join(import.meta.dirname, "adapter-peft.py");
    const input = JSON.stringify({ ids });
    const options = { input, encoding: "utf8", maxBuffer: 1 << 28, stdio: "pipe" } as const;
    const answer = execFileSync(python, [script, base, trained], options);
    const theirs = JSON.parse(answer) as Record<"alone" | "beside" | "merged", number[][]>;
    const largest = Math.max(...theirs.beside.flat().map(Math.abs));
    const off = (rows: number[][]): number =>
      Math.max(...rows.flat().map((value, i) => Math.abs(value - logits[i]))) / largest;
    const [alone, beside, merged] = [off(theirs.alone), off(theirs.beside), off(theirs.merged)];
    t.diagnostic(
      `${beside.toExponential(1)} beside, ${merged.toExponential(1)} merged, ${alone.toFixed(2)} without it`,
    );
    assert.ok(alone > 0.05, `the adapter moves logits by ${alone} of the largest: too little to show anything`);
    assert.ok(beside < 1e-5 && merged < 1e-5, `logits differ by ${beside} of the largest, merged by ${merged}`);
  });
}
