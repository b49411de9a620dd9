// Needle in a haystack (Kamradt 2023): how well a model finds one sentence again in a long text, by how long the text is
// and how deep the sentence lies in it. A number is hidden, and found when the reply has it. Not here: tables (cli/).
import { uniform } from "../../base/random.ts";
import type { OnProgress } from "../../base/progress.ts";
import { UsageError } from "../../base/errors.ts";
import type { LanguageModel } from "../../chat/types.ts";
import { type NeedleTexts, needleTexts, sentencesOf } from "./texts.ts";

/** The longest reply, in tokens: the number, and a few words around it. */
const REPLY_TOKENS = 32;

export interface NeedleSettings {
  /** Lengths of prompt and reply together, in tokens. */
  readonly windows: readonly number[];
  /** Where the needle lies, in percent of the haystack before it. */
  readonly depths: readonly number[];
  readonly languages: readonly NeedleTexts["language"][];
  /** Needles at each place, each with a number of its own. */
  readonly trials: number;
  /** Instead of the built-in texts; repeated where it is too short. */
  readonly haystack?: string | undefined;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface NeedleResult {
  readonly language: NeedleTexts["language"];
  readonly window: number;
  readonly depth: number;
  readonly trials: number;
  readonly found: number;
  /** Of the trials together. */
  readonly promptTokens: number;
  readonly replies: readonly string[];
}

/** One result a language, window and depth, in that order. Throws UsageError for windows that hold no haystack, or that the model lacks. */
export async function findNeedles(
  model: Pick<LanguageModel, "chat" | "generate" | "tokenize" | "promptIds" | "info">,
  settings: NeedleSettings,
): Promise<NeedleResult[]> {
  const { windows, depths, languages, trials, seed = 1, onProgress, signal } = settings;
  const results: NeedleResult[] = [];
  const total = languages.length * windows.length * depths.length * trials;
  for (const texts of needleTexts.filter(({ language }) => languages.includes(language))) {
    const sentences = sentencesOf(settings.haystack ?? texts.haystack);
    if (sentences.length === 0) throw new UsageError("The haystack has no sentence.", { field: "file" });
    for (const window of windows) {
      for (const depth of depths) {
        const replies: string[] = [];
        let [found, promptTokens] = [0, 0];
        for (let trial = 0; trial < trials; trial++) {
          signal?.throwIfAborted();
          onProgress?.({ label: "needles", done: results.length * trials + trial, total, unit: "items" });
          const place = texts.places[trial % texts.places.length];
          const secret = String(1_000_000 + Math.floor(9_000_000 * uniform(seed, window, depth * trials + trial)));
          const hidden = { place, needle: texts.needle(place, secret), depth };
          const prompt = await fitted(model, texts, sentences, hidden, window);
          const reply = await replyOf(model, prompt, signal);
          replies.push(reply);
          found += Number(reply.replace(/[\s,，]/g, "").includes(secret));
          promptTokens += prompt.tokens;
        }
        results.push({ language: texts.language, window, depth, trials, found, promptTokens, replies });
      }
    }
  }
  return results;
}

interface Prompt {
  readonly text: string;
  readonly tokens: number;
}

/** The longest prompt that leaves room for the reply; the haystack goes around as often as it must. */
async function fitted(
  model: Pick<LanguageModel, "tokenize" | "promptIds" | "info">,
  texts: NeedleTexts,
  sentences: readonly string[],
  { place, needle, depth }: { readonly place: string; readonly needle: string; readonly depth: number },
  window: number,
): Promise<Prompt> {
  const isChat = model.info.template !== "none";
  const space = texts.language === "en" ? " " : "";
  const withCount = async (count: number): Promise<Prompt> => {
    const all = Array.from({ length: count }, (_, i) => sentences[i % sentences.length].trim());
    all.splice(Math.round((depth / 100) * count), 0, needle);
    const text = `${all.join(space)}\n\n${isChat ? texts.question(place) : texts.answerStart(place)}`;
    const ids = isChat ? await model.promptIds([{ role: "user", content: text }]) : model.tokenize(text, { bos: true });
    return { text, tokens: ids.length };
  };
  const room = window - REPLY_TOKENS;
  // the most sentences that fit lie between these two
  let [least, most] = [1, 2];
  while ((await withCount(most)).tokens <= room) [least, most] = [most, 2 * most];
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if ((await withCount(middle)).tokens <= room) least = middle;
    else most = middle;
  }
  const prompt = await withCount(least);
  if (prompt.tokens <= room) return prompt;
  throw new UsageError(
    `A window of ${window} tokens holds no haystack: the least is ${prompt.tokens + REPLY_TOKENS}.`,
    {
      field: "windows",
    },
  );
}

async function replyOf(
  model: Pick<LanguageModel, "chat" | "generate" | "info">,
  { text }: Prompt,
  signal: AbortSignal | undefined,
): Promise<string> {
  const options = { temperature: 0, maxTokens: REPLY_TOKENS, ...(signal !== undefined && { signal }) };
  const events =
    model.info.template === "none"
      ? model.generate(text, options)
      : model.chat([{ role: "user", content: text }], options);
  let reply = "";
  for await (const event of events) if (event.type === "text-delta") reply += event.text;
  return reply;
}
