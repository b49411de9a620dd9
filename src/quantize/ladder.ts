// One model at many widths: a copy of each type is made, measured beside the original, and thrown away. What is shown is
// the size that a type saves and what it costs. Not here: how that is drawn (ladder-plot.ts).
import { UsageError } from "../base/errors.ts";
import { joinPath, makeTemporaryFolder, remove } from "#platform";
import { load } from "../chat/load.ts";
import { decodeSpeed } from "../eval/speed.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import { type MixName, mixes } from "./mixes.ts";
import { quantize } from "./quantize.ts";
import type { QuantizeOptions } from "./types.ts";

/** From the widest to the narrowest. */
export const ladderTypes: readonly MixName[] = [
  "F32",
  "BF16",
  "F16",
  "Q8_0",
  "Q6_K",
  "Q5_K_M",
  "Q4_K_M",
  "Q4_0",
  "Q3_K_M",
  "Q2_K",
];

export interface Rung {
  readonly type: MixName;
  readonly bytes: number;
  readonly bits_per_weight: number;
  /** Of the weights, as in QuantizeReport. */
  readonly error: number;
  readonly perplexity: number;
  /** From the original, in nats a token. */
  readonly kl_divergence: number;
  readonly same_top: number;
  /** Tokens that it writes in a second, here. */
  readonly tokens_per_second: number;
}

export interface Ladder {
  readonly model: string;
  readonly perplexity_original: number;
  /** Tokens of the text that were predicted. */
  readonly tokens: number;
  readonly rungs: readonly Rung[];
  /** What was left out and what stands in: one sentence each. */
  readonly notes: readonly string[];
}

export type LadderOptions = Omit<QuantizeOptions, "type" | "force" | "metadata"> & {
  readonly types?: readonly MixName[];
  /** Hears each rung as soon as it is measured. */
  readonly onRung?: (rung: Rung) => void;
};

/**
 * Measures copies of the model at `from`. Throws as `quantize` does; UsageError where both models do not fit in memory,
 * since then there is nothing to compare.
 */
export async function measureLadder(from: string, options: LadderOptions): Promise<Ladder> {
  const { types = ladderTypes, onRung, ...rest } = options;
  const folder = await makeTemporaryFolder();
  const rungs: Rung[] = [];
  const notes = new Set<string>();
  let original = { perplexity: 0, tokens: 0 };
  try {
    for (const type of types) {
      const path = joinPath(folder, `${type}.gguf`);
      const report = await quantize(from, path, { ...rest, type });
      const { comparison } = report;
      if ("skipped" in comparison) {
        throw new UsageError(`The copies cannot be compared with the original: ${comparison.skipped}`);
      }
      original = { perplexity: comparison.perplexity_original, tokens: comparison.tokens };
      const rung: Rung = {
        type,
        bytes: report.bytes,
        bits_per_weight: report.bits_per_weight,
        error: report.error,
        perplexity: comparison.perplexity_copy,
        kl_divergence: comparison.kl_divergence,
        same_top: comparison.same_top,
        tokens_per_second: await speedOf(path, rest),
      };
      rungs.push(rung);
      for (const line of report.notes) notes.add(line);
      onRung?.(rung);
      await remove(path);
    }
  } finally {
    await remove(folder);
  }
  return {
    model: from,
    perplexity_original: original.perplexity,
    tokens: original.tokens,
    rungs,
    notes: [...notes],
  };
}

async function speedOf(path: string, { threads, signal }: LadderOptions): Promise<number> {
  await using model = await load(path, {
    slots: 1,
    packCache: false,
    ...(threads !== undefined && { threads }),
    ...(signal !== undefined && { signal }),
  });
  return await decodeSpeed(model, { signal });
}

/** The types of the ladder that are no wider than what the model is stored in: wider ones only repeat it. */
export function typesUpTo(stored: FormatName): readonly MixName[] {
  const width = bitsOf(stored);
  return ladderTypes.filter((type) => bitsOf(mixes[type].main) <= width);
}

const bitsOf = (name: FormatName): number => (8 * formats[name].blockBytes) / formats[name].blockSize;
