// How records become documents of a token store. A stage has one of these ways, so that the same prepared data can teach
// replies and compare them. Not here: writing the store (tokenize.ts).
import type { Tokenizer } from "../../text/tokenizer.ts";
import {
  ConversationError,
  type EncodedConversation,
  type TrainingWords,
  encodeConversation,
} from "./conversation-encoder.ts";
import type { DataRecord, PreferenceRecord, TrainingMessage } from "./record.ts";

export interface Reading {
  /** How many documents in a row belong together, always. */
  readonly members: number;
  /** The documents of a record: a multiple of `members`. Rejects with ConversationError where it is none of this kind. */
  encode(words: TrainingWords, record: DataRecord): Promise<readonly EncodedConversation[]>;
}

const NOTHING: EncodedConversation = { ids: [], spans: [] };

/** Texts are learnt whole, of conversations the replies, of pairs the better answer. */
const documents: Reading = {
  members: 1,
  async encode(words, record) {
    if ("text" in record) return [encodeText(words.tokenizer, record.text)];
    if ("messages" in record) return await encodeConversation(words, record);
    if ("query" in record) throw new ConversationError("A query and its passage are no text to learn.");
    return record.chosen === undefined ? [] : [await encodeAnswer(words, record, record.chosen)];
  },
};

/** The better answer and the worse, each behind what was asked; empty where there is none. */
const pairs: Reading = {
  members: 2,
  async encode(words, record) {
    if (!("prompt" in record)) throw new ConversationError("No answers are compared here.");
    const side = async (answer: readonly TrainingMessage[] | undefined): Promise<EncodedConversation> =>
      answer === undefined ? NOTHING : await encodeAnswer(words, record, answer);
    return [await side(record.chosen), await side(record.rejected)];
  },
};

/** A query, what belongs to it, and what does not (empty where nothing is said of that). All tokens count. */
const triples: Reading = {
  members: 3,
  encode({ tokenizer }, record) {
    if (!("query" in record)) return Promise.reject(new ConversationError("There is no query and what belongs to it."));
    const whole = (text: string | undefined): EncodedConversation => {
      if (text === undefined) return NOTHING;
      const { ids } = encodeText(tokenizer, text);
      return { ids, spans: [[0, ids.length]] };
    };
    return Promise.resolve([whole(record.query), whole(record.positive), whole(record.negative)]);
  },
};

export const readings = { documents, pairs, triples } satisfies Record<string, Reading>;
export type ReadingName = keyof typeof readings;
export const readingNames = Object.keys(readings) as ReadingName[];

/** Of the prompt nothing is learnt, whoever spoke. */
async function encodeAnswer(
  words: TrainingWords,
  { prompt, tools }: PreferenceRecord,
  answer: readonly TrainingMessage[],
): Promise<EncodedConversation> {
  const asked = prompt.map((message) => (message.role === "assistant" ? { ...message, weight: 0 } : message));
  const encoded = await encodeConversation(words, { messages: [...asked, ...answer], ...(tools && { tools }) });
  if (encoded.length !== 1) {
    throw new ConversationError(
      "The answer's turns cannot be learnt in one text: the template writes earlier turns otherwise.",
    );
  }
  return encoded[0];
}

/** A text between BOS (where the model wants one) and EOS (where the vocabulary has one); control tokens in it are text. */
export function encodeText(tokenizer: Tokenizer, text: string): EncodedConversation {
  const { addBos, specials } = tokenizer;
  const ids = [
    ...(addBos && specials.bos !== undefined ? [specials.bos] : []),
    ...tokenizer.encode(text),
    ...(specials.eos === undefined ? [] : [specials.eos]),
  ];
  return { ids, spans: ids.length < 2 ? [] : [[1, ids.length]] };
}
