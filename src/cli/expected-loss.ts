// What one's own finished runs say of one that is planned: `--plan`'s expected loss.
import { openRunReader } from "../store/index.ts";
import type { Recipe } from "../train/recipe.ts";
import { type ExpectedLoss, type FinishedRun, expectedLoss } from "../train/scaling.ts";

interface Planned {
  readonly recipe: Recipe;
  readonly data: { readonly hash: string; readonly inNats: boolean };
  readonly flops: number;
}

/** By the runs in `root` of new models that ended on the same data; undefined where these are too few to say anything. */
export async function expectedOf(root: string, { recipe, data, flops }: Planned): Promise<ExpectedLoss | undefined> {
  const { stage, model } = recipe;
  if (typeof model === "string" || !data.inNats) return undefined; // what a trained model knows already is in no law
  const reader = openRunReader(root);
  const found: FinishedRun[] = [];
  for (const { facts, state, validation } of await reader.list()) {
    if (facts.dataHash !== data.hash || facts.stage !== stage || state !== "done") continue;
    if (facts.flops === undefined || validation === null) continue;
    const { recipe: its } = await reader.details(facts.name);
    if (typeof its["model"] !== "string") found.push({ flops: facts.flops, nats: validation });
  }
  return expectedLoss(flops, found);
}

/** "4.21 nats a token held out (4.05 to 4.38), by 5 runs on this data". */
export function expectedText({ nats, low, high, runs, beyond }: ExpectedLoss): string {
  const far = beyond > 1 ? `, ${beyond.toPrecision(2)} times beyond them` : "";
  return `${nats.toFixed(2)} nats a token held out (${low.toFixed(2)} to ${high.toFixed(2)}), by ${runs} runs here${far}`;
}
