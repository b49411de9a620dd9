// Which ids play a role: BOS, EOS, end of turn, and all that end a reply. Files name some of them; the others are known
// by their spelling, the same spellings that llama.cpp knows, so that a reply ends where it ends there.
// A token that ends replies is a control token whatever its file says: it must never come out of pasted text.
import type { SpecialTokens } from "./tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Ids that a file gives; undefined: not given. */
export type GivenSpecials = Partial<Record<Role, number | undefined>>;

type Role =
  | "bos"
  | "eos"
  | "eot"
  | "eom"
  | "unknown"
  | "pad"
  | "separator"
  | "classifier"
  | "mask"
  | "fillPad"
  | "fillRepository"
  | "fillFile";

/** Spellings by role, the likelier first. */
const SPELLINGS: Readonly<Partial<Record<Role, readonly string[]>>> = {
  eot: [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
  ],
  eom: ["<|eom_id|>"],
  fillPad: ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
  fillRepository: ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
  fillFile: ["<|file_sep|>"],
};

/** Control tokens by their spelling that end no reply: the parts of a fill-in-the-middle prompt. */
const FILL_IN_THE_MIDDLE: readonly (readonly string[])[] = [
  ["<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>"],
  ["<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>"],
  ["<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>"],
];

const ENDINGS: readonly string[] = [
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|flush|>",
  "<|calls|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<turn|>",
  "<|tool_response>",
  "<｜end▁of▁sentence｜>",
  "[e~[",
];

/** Spellings that other tokens show to be no ending: the harmony formats end a message, not a reply, with <|end|>. */
const EXCEPTIONS: readonly {
  readonly ending: string;
  readonly beside: readonly string[];
  readonly becomes: Becomes;
}[] = [
  { ending: "<|end|>", beside: ["<|return|>", "<|call|>"], becomes: "user-defined" },
  { ending: "<|end|>", beside: ["<|flush|>", "<|call|>"], becomes: "user-defined" },
  { ending: "<|end|>", beside: ["<|flush|>", "<|calls|>"], becomes: "user-defined" },
  { ending: "</s>", beside: ["<|tool_response>"], becomes: "normal" },
];
type Becomes = "user-defined" | "normal";

/**
 * Finds the roles and marks the tokens found as control tokens in `vocabulary`. `eligible`: which tokens a spelling may
 * pick out (a tokenizer.json lists its special tokens; others that look like one are ordinary words there).
 */
export function findSpecials(
  vocabulary: Vocabulary,
  given: GivenSpecials,
  eligible: (id: number) => boolean = () => true,
): SpecialTokens {
  const idOf = (spelling: string) => {
    const id = vocabulary.idOf(spelling);
    return id !== undefined && eligible(id) ? id : undefined;
  };
  const firstOf = (spellings: readonly string[]) => spellings.map(idOf).find((id) => id !== undefined);
  const inside = (id: number | undefined) => (id !== undefined && id >= 0 && id < vocabulary.size ? id : undefined);
  const named = (role: Role) => {
    const known = inside(given[role]);
    if (known !== undefined) return known;
    const id = firstOf(SPELLINGS[role] ?? []);
    if (id !== undefined) vocabulary.setClass(id, "control");
    return id;
  };
  const endings = new Set<number>();
  const eot = named("eot");
  const eom = named("eom");
  const eos = inside(given.eos);
  for (const spellings of FILL_IN_THE_MIDDLE) {
    const id = firstOf(spellings);
    if (id !== undefined) vocabulary.setClass(id, "control");
  }
  for (const id of [named("fillPad"), named("fillRepository"), named("fillFile")])
    if (id !== undefined) endings.add(id);
  for (const spelling of ENDINGS) {
    const id = idOf(spelling);
    if (id === undefined) continue;
    endings.add(id);
    vocabulary.setClass(id, "control");
  }
  for (const id of [eos, eot, eom]) if (id !== undefined) endings.add(id);
  for (const { ending, beside, becomes } of EXCEPTIONS) {
    const id = idOf(ending);
    if (id === undefined || beside.some((other) => idOf(other) === undefined)) continue;
    endings.delete(id);
    vocabulary.setClass(id, becomes);
  }
  return {
    bos: inside(given.bos),
    eos,
    eot,
    eom,
    unknown: inside(given.unknown),
    pad: inside(given.pad),
    separator: inside(given.separator),
    classifier: inside(given.classifier),
    mask: inside(given.mask),
    endOfGeneration: endings,
  };
}
