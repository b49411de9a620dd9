// A conversation as the model reads it when it is served, and which of its tokens are learnt: those that the model itself
// has to say, from behind the template's opening of its turn up to the token that ends the turn. Prompts are made by the
// function that serving uses, so what a reply is trained on is what it will be asked with.
//
// A template may write earlier turns in another way than the last one (it drops their thoughts, say). Then one rendering
// cannot teach all replies: the last is taught on the whole conversation, and those that were not on its beginning.
import { LiangError } from "../../base/errors.ts";
import { templateMessages } from "../../chat/messages.ts";
import { withBos } from "../../chat/text-side.ts";
import type { Tool } from "../../chat/types.ts";
import type { ChatTemplate, RenderedPrompt } from "../../text/template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { ConversationRecord, TrainingMessage } from "./record.ts";

export interface EncodedConversation {
  readonly ids: readonly number[];
  /** [start, end) of each reply that is learnt, the token that ends its turn included. */
  readonly spans: readonly (readonly [start: number, end: number])[];
}

/** Why a conversation cannot be learnt with this template. */
export class ConversationError extends LiangError {
  constructor(message: string, cause?: unknown) {
    super("conversation_refused", message, { cause }, 3);
  }
}

/** The words of the model that is to be trained. */
export interface TrainingWords {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  /** Variables for the template, such as enable_thinking; as serving will have them. */
  readonly templateOptions?: Readonly<Record<string, unknown>>;
}

/**
 * Encodes conversations: mostly one text each, several where the template writes earlier turns in another way. Rejects
 * with ConversationError where the template refuses one, or opens the model's turn with what the turn does not begin with.
 */
export async function encodeConversation(
  words: TrainingWords,
  { messages, tools }: ConversationRecord,
): Promise<EncodedConversation[]> {
  const replies = [...messages.keys()].filter((i) => messages[i].role === "assistant" && messages[i].weight !== 0);
  const encoded: EncodedConversation[] = [];
  let left = replies;
  while (left.length > 0) {
    const last = left.at(-1)!;
    // the rest of the conversation is of no use to the last reply
    const whole = await render(words, messages.slice(0, last + 1), tools, false);
    const spans = new Map<number, Range>();
    for (const reply of left) {
      const range = await replyRange(words, messages, tools, reply, whole, reply === last);
      if (range !== undefined) spans.set(reply, range);
    }
    if (!spans.has(last)) {
      throw new ConversationError(
        `The chat template opens the turn of message ${last + 1} with what the turn does not begin with.`,
      );
    }
    encoded.unshift(encodeWhole(words.tokenizer, whole, [...spans.values()]));
    left = left.filter((reply) => !spans.has(reply));
  }
  return encoded;
}

/** UTF-16 offsets of a rendering. */
interface Range {
  /** Where the prompt ends that the reply answers. */
  readonly start: number;
  readonly end: number;
}

/** Where a reply is in the whole text; undefined where the text does not have it as it would be generated. */
async function replyRange(
  words: TrainingWords,
  messages: readonly TrainingMessage[],
  tools: readonly Tool[] | undefined,
  reply: number,
  whole: RenderedPrompt,
  isLast: boolean,
): Promise<Range | undefined> {
  const prompt = await render(words, messages.slice(0, reply), tools, true);
  if (!beginsWith(whole, prompt)) return undefined;
  const answered = isLast ? whole : await render(words, messages.slice(0, reply + 1), tools, false);
  if (!beginsWith(whole, answered) || answered.text.length <= prompt.text.length) return undefined;
  return { start: prompt.text.length, end: answered.text.length };
}

/** In text, and in what of it a person wrote. */
function beginsWith(whole: RenderedPrompt, part: RenderedPrompt): boolean {
  if (!whole.text.startsWith(part.text)) return false;
  const inside = whole.plain.filter((offset) => offset < part.text.length);
  return inside.length === part.plain.length && inside.every((offset, i) => offset === part.plain[i]);
}

async function render(
  { template, templateOptions }: TrainingWords,
  messages: readonly TrainingMessage[],
  tools: readonly Tool[] | undefined,
  addGenerationPrompt: boolean,
): Promise<RenderedPrompt> {
  if (messages.length === 0) throw new ConversationError("The first message is the model's own.");
  try {
    return await template.render({
      messages: templateMessages(messages, template.source((tools?.length ?? 0) > 0)),
      addGenerationPrompt,
      ...(tools !== undefined && { tools }),
      ...(templateOptions !== undefined && { options: templateOptions }),
    });
  } catch (cause) {
    if (cause instanceof LiangError) throw new ConversationError(cause.message, cause);
    throw cause;
  }
}

/**
 * The whole text's ids, and the replies' places among them. Where a token would lie across the border between a prompt
 * and its reply, the text is encoded in two parts there: serving encodes the prompt alone.
 */
function encodeWhole(tokenizer: Tokenizer, whole: RenderedPrompt, ranges: readonly Range[]): EncodedConversation {
  const encode = (start: number, end: number): number[] =>
    tokenizer.encode(whole.text.slice(start, end), {
      special: true,
      plain: whole.plain.filter((offset) => offset >= start && offset < end).map((offset) => offset - start),
    });
  const cuts: number[] = [];
  const encodeCut = (end: number): number[] => {
    const bounds = [0, ...cuts.filter((cut) => cut < end), end];
    return withBos(
      tokenizer,
      bounds.slice(1).flatMap((bound, i) => encode(bounds[i], bound)),
    );
  };
  let ids = encodeCut(whole.text.length);
  const spans: [number, number][] = [];
  for (const { start, end } of ranges) {
    const before = encodeCut(start);
    if (!before.every((id, i) => ids[i] === id)) {
      cuts.push(start);
      ids = encodeCut(whole.text.length);
    }
    const throughReply = encodeCut(end);
    spans.push([before.length, endOfTurn(tokenizer, ids, before.length, throughReply.length)]);
  }
  return { ids, spans };
}

/** Behind the first token that ends generation; where the turn has none, the turn's own end. */
function endOfTurn(tokenizer: Tokenizer, ids: readonly number[], start: number, limit: number): number {
  const end = Math.min(limit, ids.length);
  for (let i = start; i < end; i++) if (tokenizer.specials.endOfGeneration.has(ids[i])) return i + 1;
  return end;
}
