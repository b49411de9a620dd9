// What a model is good and bad at, in one sentence, and starters that work with it: judged from what its file says (size,
// template, name), since files say nothing else. Pure.
import type { LoadedModel, ModelEntry } from "../../server/api-types.ts";
import type { MessageKey } from "../i18n/en.ts";
import type { Translate } from "../i18n/translate.ts";

export interface ModelWords {
  readonly about: MessageKey;
  readonly starters: readonly MessageKey[];
}

const CHAT: readonly MessageKey[] = ["chatStarter1", "chatStarter2", "chatStarter3"];
const CODE: readonly MessageKey[] = ["codeStarter1", "codeStarter2", "codeStarter3"];
const PLAIN: readonly MessageKey[] = ["plainStarter1", "plainStarter2", "plainStarter3"];
/** The models that ship with the program, by name in small letters. */
const BUILT_IN: ReadonlyMap<string, ModelWords> = new Map([
  [
    "liang-shi",
    {
      about: "aboutPoet",
      starters: ["poetJueju5", "poetJueju7", "poetLushi5", "poetLushi7", "poetCi", "poetInitials"],
    },
  ],
  ["stories260k", { about: "aboutStory", starters: ["storyStarter1", "storyStarter2", "storyStarter3"] }],
]);

/** Parameters below which the sentence holds: measured by what such open models do well today, so rough. */
const BY_SIZE: readonly { readonly below: number; readonly about: MessageKey }[] = [
  { below: 0.8e9, about: "aboutTiny" },
  { below: 5e9, about: "aboutSmall" },
  { below: 16e9, about: "aboutMiddle" },
  { below: Infinity, about: "aboutLarge" },
];

/** What makers put into the names of models that were taught to answer. */
const MADE_FOR_CHAT = /instruct|chat|assistant|(?:^|[-_.])(?:it|sft|dpo)(?:[-_.]|$)/i;

/** Bytes a parameter, when only the file's size is known: 4-bit files have about 0.65 with their scales. */
const BYTES_PER_PARAMETER = 0.65;

export function wordsFor(model: ModelEntry | undefined): ModelWords {
  if (model === undefined) return { about: "aboutNone", starters: [] };
  const own = model.builtIn ? BUILT_IN.get(model.id.toLowerCase()) : undefined;
  if (own !== undefined) return own;
  if (model.info?.template === "none") return { about: "aboutPlain", starters: PLAIN };
  if (model.info?.template === "built-in" && !MADE_FOR_CHAT.test(model.id))
    return { about: "aboutUnsure", starters: PLAIN };
  if (/\bcod(?:e|er)\b|coder/i.test(model.id)) return { about: "aboutCode", starters: CODE };
  const parameters = parametersOf(model);
  return { about: BY_SIZE.find(({ below }) => parameters < below)!.about, starters: CHAT };
}

function parametersOf({ id, info, bytes }: ModelEntry): number {
  if (info !== undefined) return info.parameters;
  const named = /(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z])/i.exec(id);
  if (named !== null) return Number(named[1]) * (named[2].toLowerCase() === "b" ? 1e9 : 1e6);
  return (bytes ?? 0) / BYTES_PER_PARAMETER;
}

/** What computes a model in memory: "wasm-relaxed, 2 threads". */
export function computeWords(
  { tier, threads }: Pick<LoadedModel, "tier" | "threads">,
  { t, integer }: { readonly t: Translate; readonly integer: (value: number) => string },
): string {
  return threads === 1 ? t("onOneThread", { tier }) : t("onThreads", { tier, threads: integer(threads) });
}

/** How a quantised file's name ends: "…-q4_k_m", "….Q8_0", "…-bf16". */
const VARIANT = /[-_.]((?:i?q\d\w*)|b?f16|f32)$/i;

/** "Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M" → name and the rest, for places where the whole does not fit. */
export function shortName(id: string): { readonly name: string; readonly variant: string } {
  const [path, file = ""] = id.split(":");
  const whole = path
    .split("/")
    .at(-1)!
    .replace(/[-_.]?gguf$/i, "");
  if (file !== "") return { name: whole, variant: file.replace(/\.gguf$/i, "") };
  const variant = VARIANT.exec(whole)?.[1] ?? "";
  const name = variant === "" ? whole : whole.slice(0, -variant.length - 1);
  return { name, variant: variant.toUpperCase() };
}
