// What a tiny model needs to learn from rewards for its own replies: prompts, a function that likes the letter e, and the
// settings of a recipe.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export const ASKED = ["Who?", "Where?", "What is it?", "When was it?", "Why?", "How many?"];
// the share of a reply's letters that are an e, and whether it ended
const REWARD = `export const reward = ({ reply, ended }: { reply: string; ended: boolean }) => {
  const letters = reply.replaceAll(/[^a-z]/gi, "");
  const share = letters === "" ? 0 : letters.replaceAll(/[^e]/gi, "").length / letters.length;
  return { total: share, ended: Number(ended) };
};`;

/** Writes prompts.jsonl, held.jsonl and rewards.ts into a folder; the settings of `tinyRecipe` that learn from them. */
export async function prepareRewards(folder: string): Promise<string[]> {
  const rows = ASKED.map((prompt, i) => JSON.stringify({ prompt, letter: "aeiost"[i] }));
  const [prompts, held, rewards] = ["prompts.jsonl", "held.jsonl", "rewards.ts"].map((name) => join(folder, name));
  await writeFile(prompts, rows.join("\n"));
  await writeFile(held, rows.slice(0, 2).join("\n"));
  await writeFile(rewards, REWARD);
  return [
    "stage=grpo",
    `data=${prompts}`,
    `rewards=${rewards}`,
    'rollout={"prompts":3,"replies":16,"tokens":4}',
    'batch={"window":32,"rows":256}',
    'optimizer={"matrices":{"name":"adamw","rate":0.01},"others":{"name":"adamw","rate":0.01}}',
    "schedule.decay=constant",
  ];
}
