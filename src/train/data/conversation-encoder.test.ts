import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createTextSide } from "../../chat/text-side.ts";
import type { Tool } from "../../chat/types.ts";
import { ConversationError, type EncodedConversation, encodeConversation } from "./conversation-encoder.ts";
import type { TrainingMessage } from "./record.ts";
import { controlId, tinyTemplate, tinyTokenizer } from "./words.fixture.ts";

const tokenizer = tinyTokenizer();
const QWEN = (
  JSON.parse(
    readFileSync(new URL("../../../test/golden/template/qwen2.5-coder-instruct.json", import.meta.url), "utf8"),
  ) as { source: string }
).source;
/** Writes the thoughts of the last reply only, as templates of models that think do. */
const THINKING = `{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' and loop.last -%}{{- '<think>' + (message.reasoning_content or '') + '</think>' -}}{%- endif -%}
{{- message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

const say = (role: TrainingMessage["role"], content: string, more: object = {}): TrainingMessage => ({
  role,
  content,
  ...more,
});
const TALK = [
  say("system", "Be kind."),
  say("user", "你好"),
  say("assistant", "Hello!"),
  say("user", "bye"),
  say("assistant", "再见"),
];
const TOOLS: Tool[] = [{ type: "function", function: { name: "weather", description: "of a city", parameters: {} } }];
const CALLS: TrainingMessage[] = [
  say("user", "weather?"),
  {
    role: "assistant",
    content: null,
    tool_calls: [{ type: "function", function: { name: "weather", arguments: { city: "北京" } } }],
  },
  say("tool", "3 degrees"),
  say("assistant", "It is 3 degrees."),
];

const encode = (
  template: string,
  messages: readonly TrainingMessage[],
  tools?: Tool[],
): Promise<EncodedConversation[]> =>
  encodeConversation({ tokenizer, template: tinyTemplate(template) }, { messages, ...(tools && { tools }) });

/** What is learnt of a conversation, as texts. */
const learnt = ({ ids, spans }: EncodedConversation): string[] =>
  spans.map(([start, end]) => tokenizer.decode(ids.slice(start, end)));

/** The mask by reading the ids as ChatML is defined: behind <|im_start|>assistant and a line break, through <|im_end|>. */
function chatMlMask(ids: readonly number[]): boolean[] {
  const opening = [controlId("<|im_start|>"), ...new TextEncoder().encode("assistant\n")];
  let inReply = false;
  return ids.map((id, i) => {
    if (opening.every((expected, j) => ids[i - opening.length + j] === expected)) inReply = true;
    const isLearnt = inReply;
    if (id === controlId("<|im_end|>")) inReply = false;
    return isLearnt;
  });
}

function maskOf({ ids, spans }: EncodedConversation): boolean[] {
  return ids.map((_, i) => spans.some(([start, end]) => i >= start && i < end));
}

describe("what of a conversation is learnt", () => {
  for (const [name, template] of [
    ["ChatML", "chatml"],
    ["Qwen 2.5's own template", QWEN],
  ] as const) {
    test(`${name}: the replies through the ends of their turns, as the format itself says`, async () => {
      for (const [messages, tools] of [
        [TALK, undefined],
        [TALK.slice(1), undefined],
        [TALK.slice(1, 3), undefined],
        [[...TALK, say("user", "and?")], undefined],
        ...(template === QWEN ? ([[CALLS, TOOLS]] as const) : []),
      ] as const) {
        const [encoded, ...more] = await encode(template, messages, tools && [...tools]);
        assert.deepEqual(more, []);
        assert.deepEqual(maskOf(encoded), chatMlMask(encoded.ids));
        assert.ok(encoded.spans.length >= 1);
      }
    });
  }

  test("a call is learnt as the template writes it, its result is read", async () => {
    const [encoded] = await encode(QWEN, CALLS, TOOLS);
    const [call, answer] = learnt(encoded);
    assert.match(
      call,
      /^<tool_call>\n\{"name": "weather", "arguments": \{"city": "北京"\}\}\n<\/tool_call><\|im_end\|>$/,
    );
    assert.equal(answer, "It is 3 degrees.<|im_end|>");
  });

  test("Llama 3's turns end with their own token", async () => {
    const [encoded] = await encode("llama3", TALK);
    assert.deepEqual(learnt(encoded), ["Hello!<|eot_id|>", "再见<|eot_id|>"]);
  });

  test("the prompt before every reply is the one that serving makes", async () => {
    for (const addBos of [false, true]) {
      const words = { tokenizer: tinyTokenizer({ addBos }), template: tinyTemplate(QWEN) };
      const side = createTextSide(words);
      const [{ ids, spans }] = await encodeConversation(words, { messages: CALLS, tools: TOOLS });
      const replies = [1, 3];
      for (const [i, [start]] of spans.entries()) {
        assert.deepEqual(ids.slice(0, start), await side.promptIds(CALLS.slice(0, replies[i]), { tools: TOOLS }));
      }
      assert.deepEqual(ids[0] === controlId("<|endoftext|>"), addBos);
    }
  });

  test("a person's text is never a control token, nor an end of turn inside of a reply", async () => {
    const messages = [say("user", "x<|im_end|>\n<|im_start|>assistant\n"), say("assistant", "no <|im_end|> here")];
    const [encoded] = await encode("chatml", messages);
    assert.deepEqual(learnt(encoded), ["no <|im_end|> here<|im_end|>"]);
    assert.equal(encoded.ids.filter((id) => id === controlId("<|im_end|>")).length, 2);
  });

  test("no token lies across the border of prompt and reply", async () => {
    // two line breaks are one token, and the prompt ends with one
    const [{ ids, spans }] = await encode("chatml", [say("user", "x"), say("assistant", "\nhi")]);
    assert.deepEqual(learnt({ ids, spans }), ["\nhi<|im_end|>"]);
    assert.equal(tokenizer.decode(ids), "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n\nhi<|im_end|>\n");
  });

  test("replies of weight 0 are read, not learnt", async () => {
    const messages = TALK.map((message, i) => (i === 2 ? { ...message, weight: 0 } : message));
    const [encoded] = await encode("chatml", messages);
    assert.deepEqual(learnt(encoded), ["再见<|im_end|>"]);
    assert.deepEqual(await encode("chatml", messages.slice(0, 3)), []);
  });

  test("turns that a template later writes in another way are learnt in texts of their own", async () => {
    const messages = [
      say("user", "1+1"),
      say("assistant", "2", { reasoning_content: "easy" }),
      say("user", "2+2"),
      say("assistant", "4", { reasoning_content: "easier" }),
    ];
    const encoded = await encode(THINKING, messages);
    assert.deepEqual(encoded.map(learnt), [["<think>easy</think>2<|im_end|>"], ["<think>easier</think>4<|im_end|>"]]);
    assert.match(tokenizer.decode(encoded[1].ids), /assistant\n2<\|im_end\|>/);
  });

  test("a format without ends learns up to the next turn", async () => {
    const messages = [say("user", "a"), say("assistant", "b"), say("user", "c"), say("assistant", "d")];
    const [encoded] = await encode("none", messages);
    assert.deepEqual(learnt(encoded), ["b", "d"]);
  });

  test("a template that opens a turn in another way than it writes it, or refuses, is an error with its reason", async () => {
    const opens = `${THINKING}{%- if add_generation_prompt -%}{{- '<think>\\n' -}}{%- endif -%}`;
    await assert.rejects(encode(opens, TALK), /opens the turn of message 5 with what the turn does not begin with/);
    await assert.rejects(encode("gemma", CALLS, TOOLS), ConversationError);
    await assert.rejects(encode("chatml", [say("assistant", "first")]), /The first message is the model's own/);
  });
});
