// `liang train` and `liang runs` as processes: a plan, a run from texts to a model that answers, its comparison with
// another.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { prepareData } from "../../src/train/data/prepare.ts";
import { prepareTinyData, sentence, tinyRecipe } from "../train/tiny-run.ts";
import { liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-train-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder, 400);
const home = join(folder, "home");
const liang = liangIn(home);
const recipe = join(folder, "tiny.json");
await writeFile(recipe, JSON.stringify(tinyRecipe(folder)));

async function ends(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await liang.run(args);
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}
const json = async <T>(args: readonly string[]): Promise<T> =>
  JSON.parse((await ends([...args, "--json"])).stdout) as T;

interface Result {
  readonly checkpoint: string;
  readonly gguf: string | null;
  readonly step: number;
}
interface Listed {
  readonly name: string;
  readonly step: number;
  readonly loss: number;
  readonly validations: readonly (readonly [number, number])[];
}

test("a plan tells what a run would take, and leaves nothing behind", async () => {
  const { stdout } = await ends(["train", "pretrain", "--recipe", recipe, "--plan"]);
  for (const row of [
    /parameters +35 k/,
    /tokens +4\.6 k in 24 steps of 192/,
    /memory +\S+ .B of /,
    /takes about +\d/,
  ]) {
    assert.match(stdout, row);
  }
  assert.equal((await ends(["runs"])).stdout, "There are no runs yet. liang train begins one.\n");
});

test("what is wrong is said in one sentence", async () => {
  const fails = async (args: readonly string[], message: RegExp): Promise<void> => {
    const { code, stderr } = await refusalIn(home, ["train", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  };
  await fails(["pretrain"], /^liang: There is no recipe\. Give --recipe FILE, or --resume --name NAME\.\n$/);
  await fails(["sft", "--recipe", recipe], /stage is pretrain, expected sft\. liang train pretrain runs it/);
  await fails(
    ["pretrain", "--recipe", recipe, "--set", "batch.rows=7"],
    /batch\.tokens is 192: expected a multiple of/,
  );
  await fails(
    ["pretrain", "--recipe", recipe, "--set", "batch.window=96"],
    /batch\.window is 96, expected at most the/,
  );
});

test("from texts to a model that answers, whose loss fell", { timeout: 120_000 }, async () => {
  const settings = [
    "steps=120",
    "model.hidden_size=64",
    "model.intermediate_size=128",
    "checkpoint.every=50",
    "samples.every=60",
    'samples.prompts=["The cat"]',
  ].flatMap((setting) => ["--set", setting]);
  const first = await json<Result>(["train", "pretrain", "--recipe", recipe, "--name", "base", ...settings]);
  assert.equal(first.step, 120);
  const metrics = await readFile(join(folder, "home/runs/base/metrics.jsonl"), "utf8");
  assert.match(metrics, /"type":"sample","step":120,"prompt":"The cat","text":"/);

  await mkdir(join(folder, "raw-sft"));
  const rows = Array.from({ length: 300 }, (_, i) =>
    JSON.stringify({ prompt: sentence(i), response: sentence(i).split(" ").slice(0, 2).join(" ") }),
  );
  await writeFile(join(folder, "raw-sft/pairs.jsonl"), rows.join("\n"));
  await prepareData([join(folder, "raw-sft")], join(folder, "data-sft"), { duplicates: "keep", validationShare: 0.1 });
  const sft = { ...tinyRecipe(folder), stage: "sft", model: first.gguf, data: join(folder, "data-sft") };
  await writeFile(
    join(folder, "sft.json"),
    JSON.stringify({ ...sft, tokenizer: undefined, objective: undefined, steps: 80 }),
  );
  const second = await json<Result>(["train", "sft", "--recipe", join(folder, "sft.json"), "--name", "answers"]);

  const [answers, base] = await json<Listed[]>(["runs"]);
  assert.deepEqual([answers.name, base.name], ["answers", "base"]);
  const losses = ({ validations }: Listed): number[] => [validations[0][1], validations.at(-1)![1]];
  // sentences of 6 x 6 x 6 x 4 kinds are 6.8 nats, over some 20 tokens each: 0.35 a token at best
  assert.ok(losses(base)[1] < 0.75, `pretrain: ${losses(base).join(" -> ")}`);
  assert.ok(losses(answers)[1] < 0.2, `sft: ${losses(answers).join(" -> ")}`);

  const prompt = "The old man finds the moon by the sea.";
  const reply = await json<{ text: string }>(["run", second.checkpoint, prompt, "--temperature", "0"]);
  assert.equal(reply.text.trim(), "The old"); // and then it ends
  const { stdout } = await ends(["runs", "base", "answers"]);
  assert.match(stdout, /stage +"pretrain" +"sft"/);
});
