// What the page may send, checked: the bodies and parameters of api-types.ts as schemas.
import * as z from "zod";
import type { ConversationExport, ConversationMessage, Settings } from "../api-types.ts";

const TEXT_LENGTH_MAX = 4_000_000; // characters of one message: more than any window holds
const TITLE_LENGTH_MAX = 200;
const text = (lengthMax: number) =>
  z.string("expected a string").max(lengthMax, `expected at most ${lengthMax} characters`);
const number = (low: number, high: number) =>
  z.number("expected a number").min(low, `expected at least ${low}`).max(high, `expected at most ${high}`).nullish();
const whole = (low: number, high: number = Number.MAX_SAFE_INTEGER) =>
  z.int("expected a whole number").min(low, `expected at least ${low}`).max(high, `expected at most ${high}`).nullish();

// Strict: a setting that is misspelt would silently do nothing.
export const settings = z.strictObject(
  {
    systemPrompt: text(TEXT_LENGTH_MAX).nullish(),
    temperature: number(0, 5),
    topP: z.number("expected a number").gt(0, "expected more than 0").max(1, "expected at most 1").nullish(),
    topK: whole(0),
    minP: number(0, 1),
    maxTokens: whole(1),
    seed: whole(0),
  },
  "expected settings",
) satisfies z.ZodType<Settings>;

const id = z.uuid("expected a message's id");
const model = text(300).min(1, "expected a model's name");
const title = text(TITLE_LENGTH_MAX);

export const loadRequest = z.object({ model });
export const newConversation = z.object({
  title: title.optional(),
  model: model.nullish(),
  settings: settings.optional(),
});
export const conversationChange = z.object({
  title: title.optional(),
  model: model.nullable().optional(),
  settings: settings.optional(),
  head: id.optional(),
  tip: z.boolean("expected true or false").optional(),
});
export const replyRequest = z.object({
  parent: id.nullable(),
  content: text(TEXT_LENGTH_MAX).min(1, "expected at least one character").optional(),
  model: model.optional(),
});

export const listQuery = z.object({
  query: text(200).optional(),
  limit: z.coerce
    .number("expected a number")
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(200, "expected at most 200")
    .optional(),
  before: text(100).optional(),
});

export const metricsQuery = z.object({ after: text(100).optional() });

const time = z.int("expected milliseconds since 1970").min(0);
const count = z.number("expected a number").min(0);
const storedId = text(100).min(1, "expected an id");
const message = z.object({
  id: storedId,
  parent: storedId.nullable(),
  role: z.enum(["user", "assistant"], 'expected "user" or "assistant"'),
  content: text(TEXT_LENGTH_MAX),
  createdAt: time,
  status: z.enum(["complete", "writing", "stopped", "failed"]),
  model: text(300).optional(),
  finishReason: z.enum(["stop", "length"]).optional(),
  stats: z
    .object({
      promptTokens: count,
      cachedTokens: count,
      completionTokens: count,
      window: count,
      firstTokenMs: count,
      tokensPerSecond: count,
      seed: count,
    })
    .optional(),
  error: z
    .object({
      message: z.string(),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable(),
      promptTokens: count.optional(),
      window: count.optional(),
    })
    .optional(),
}) satisfies z.ZodType<ConversationMessage>;

export const conversationExport = z.object({
  format: z.literal("liang-conversations", 'expected "liang-conversations"'),
  version: z.literal(1, "expected 1"),
  exportedAt: time,
  conversations: z.array(
    z.object({
      id: storedId,
      title,
      model: model.nullable(),
      settings,
      head: storedId.nullable(),
      createdAt: time,
      updatedAt: time,
      messages: z.array(message),
    }),
  ),
}) satisfies z.ZodType<ConversationExport>;
