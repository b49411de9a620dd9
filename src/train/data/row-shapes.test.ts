import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { sharedData } from "../../../test/shared-data.ts";
import { findSources, readSource } from "./sources.ts";
import { contentOfRecord, textOfRecord } from "./record.ts";
import type { ConversationRecord, ReadItem } from "./record.ts";
import { BrokenRow } from "./row-fields.ts";
import { recordOfRow } from "./row-shapes.ts";

const rolesOf = (row: unknown): string[] => (recordOfRow(row) as ConversationRecord).messages.map(({ role }) => role);

describe("rows become records", () => {
  test("a text, under its usual names, and composed of fields", () => {
    assert.deepEqual(recordOfRow({ text: "一", id: 3 }), { text: "一" });
    assert.deepEqual(recordOfRow({ content: "二" }), { text: "二" });
    assert.deepEqual(recordOfRow("三"), { text: "三" });
    assert.deepEqual(recordOfRow({ title: "春晓", text: "春眠" }, "{title}\n{text} {text}"), {
      text: "春晓\n春眠 春眠",
    });
    assert.throws(() => recordOfRow({ text: "x" }, "{title}"), /field title is missing/);
  });

  test("Alpaca's instruction and input are the question; system and history go before", () => {
    assert.deepEqual(recordOfRow({ instruction: "Add.", input: "1 + 1", output: "2" }), {
      messages: [
        { role: "user", content: "Add.\n1 + 1" },
        { role: "assistant", content: "2" },
      ],
    });
    const row = { instruction: "b", input: "", output: "B", system: "s", history: [["a", "A"]] };
    assert.deepEqual(
      (recordOfRow(row) as ConversationRecord).messages.map(({ content }) => content),
      ["s", "a", "A", "b", "B"],
    );
    assert.deepEqual(rolesOf({ prompt: "p", response: "r" }), ["user", "assistant"]);
    assert.deepEqual(rolesOf({ prompt: "p", completion: "r" }), ["user", "assistant"]);
  });

  test("ShareGPT's calls become tool calls, its observations tool messages, its tools a list", () => {
    const row = {
      conversations: [
        { from: "human", value: "weather?" },
        { from: "function_call", value: '{"name":"weather","arguments":{"city":"北京"}}' },
        { from: "observation", value: '{"t":3}' },
        { from: "gpt", value: "3 degrees" },
      ],
      system: "be brief",
      tools: '[{"name":"weather","parameters":{}}]',
    };
    const record = recordOfRow(row) as ConversationRecord;
    assert.deepEqual(rolesOf(row), ["system", "user", "assistant", "tool", "assistant"]);
    assert.deepEqual(record.messages[2].tool_calls, [
      { type: "function", function: { name: "weather", arguments: { city: "北京" } } },
    ]);
    assert.deepEqual(record.tools, [{ type: "function", function: { name: "weather", parameters: {} } }]);
    assert.match(textOfRecord(record), /weather\?[^]*北京[^]*3 degrees/);
  });

  test("OpenAI's messages keep their calls, ids, names and weights", () => {
    const messages = [
      { role: "user", content: [{ type: "text", text: "hi" }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", content: "ok", tool_call_id: "1" },
      { role: "assistant", content: "done", weight: 0 },
    ];
    assert.deepEqual(recordOfRow({ messages, tools: null }), { messages });
  });

  test("Firefly's pairs are turns", () => {
    assert.deepEqual(
      rolesOf({
        conversation: [
          { human: "a", assistant: "b" },
          { human: "c", assistant: "d" },
        ],
      }),
      ["user", "assistant", "user", "assistant"],
    );
  });

  for (const [what, row, reason] of [
    ["no object", 5, /the row is 5/],
    ["no known fields", { body: "x" }, /fields body, expected one of/],
    ["a text that is none", { text: 7 }, /field text is 7, expected a text/],
    ["a role of nobody", { messages: [{ role: "alien", content: "x" }] }, /messages\[0\] is of role "alien"/],
    ["nobody who answers", { messages: [{ role: "user", content: "x" }] }, /no message is an assistant's/],
    ["a message of nothing", { messages: [{ role: "assistant", content: null }] }, /messages\[0\] has content null/],
    ["tools that are no JSON", { conversations: [{ from: "gpt", value: "x" }], tools: "[" }, /field tools is/],
    ["null instead of a list", { messages: "x" }, /expected a list/],
  ] as const) {
    test(`a row with ${what} is broken, with the reason`, () => {
      assert.throws(
        () => recordOfRow(row),
        (error) => error instanceof BrokenRow && reason.test(error.message),
      );
    });
  }

  test("contents are the same but for blanks and Unicode forms", () => {
    assert.equal(contentOfRecord({ text: " e\u0301te\u0301 \n x" }), contentOfRecord({ text: "été x" }));
    assert.notEqual(
      contentOfRecord({ text: "a" }),
      contentOfRecord({ messages: [{ role: "assistant", content: "a" }] }),
    );
  });
});

describe("real data sets", () => {
  const folder = sharedData("sft");
  test("every row of them is a record, but one that nobody answers", { skip: folder.skip }, async () => {
    const files = [
      ["llamafactory_glaive_toolcall_zh_demo.json", 300],
      ["medicalgpt_sharegpt_zh_1K_format.jsonl", undefined],
      ["oaast_sft_zh.json", undefined],
      ["firefly_dummy_data.jsonl", undefined],
      ["rasbt_instruction-data.json", undefined],
      ["chatlm_my_valid_dataset_1k.parquet", 1000],
    ] as const;
    for (const [file, count] of files) {
      const { sources } = await findSources([`${folder.path}/${file}`]);
      const items: ReadItem[] = [];
      for await (const item of readSource(sources[0], 0)) items.push(item);
      const expected = count ?? rowCount(`${folder.path}/${file}`);
      // one of its conversations is a question alone
      const broken = file === "medicalgpt_sharegpt_zh_1K_format.jsonl" ? [781] : [];
      assert.deepEqual(
        items.filter((item) => "broken" in item).map(({ line }) => line),
        broken,
        file,
      );
      assert.equal(items.length, expected, file);
    }
  });
});

function rowCount(path: string): number {
  const content = readFileSync(path, "utf8");
  if (path.endsWith(".json")) return (JSON.parse(content) as unknown[]).length;
  return content.split("\n").filter((line) => line.trim() !== "").length;
}
