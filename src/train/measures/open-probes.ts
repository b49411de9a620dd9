// The probes of a recipe, ready to be asked of the model that it trains.
import { UsageError } from "../../base/errors.ts";
import type { PreparedRun } from "../prepared-run.ts";
import type { Trainer } from "../trainer.ts";
import { type AskModel, type ProbeResult, askProbes, prepareProbes, readProbes } from "./probes.ts";

type Asked = Pick<PreparedRun, "recipe" | "start" | "data">;

/**
 * undefined: the recipe has none. Throws UsageError for a stage whose objective says nothing of single tokens, and what
 * `readProbes` and `prepareProbes` throw.
 */
export async function openProbes(
  { recipe: { probes, batch, stage }, start, data }: Asked,
  trainer: Pick<Trainer, "losses" | "rows" | "rowNames">,
): Promise<((signal?: AbortSignal) => Promise<ProbeResult>) | undefined> {
  if (probes === undefined) return undefined;
  const saysRows = trainer.rowNames.includes("logProbabilities");
  if (!data.inNats && !saysRows) {
    throw new UsageError(`probes are asked of single tokens, of which ${stage} says nothing.`, { field: "probes" });
  }
  const prepared = prepareProbes(await readProbes(probes.file), start.tokenizer, batch);
  return (signal) => {
    const ask: AskModel = async (asked) =>
      saysRows
        ? (await trainer.rows(asked, signal))["logProbabilities"]
        : (await trainer.losses(asked, signal)).map((nats) => -nats);
    return askProbes(prepared, ask);
  };
}
