// Bodies that clients could send by mistake or on purpose: valid ones, with values swapped, dropped or put elsewhere. Each
// gets an answer or a refusal that names something; none makes the server fail inside.
import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { createHarness } from "./harness.ts";

const BODIES: readonly (readonly [path: string, body: object])[] = [
  [
    "/v1/chat/completions",
    {
      model: "second",
      messages: [
        { role: "system", content: "S" },
        { role: "user", content: [{ type: "text", text: "U" }], name: "n" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", content: "4", tool_call_id: "1" },
      ],
      tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
      tool_choice: "auto",
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 4,
      temperature: 1,
      logprobs: true,
      top_logprobs: 2,
      stop: ["x"],
      seed: 1,
      logit_bias: { "3": 1 },
      chat_template_kwargs: { a: 1 },
      response_format: { type: "text" },
    },
  ],
  ["/v1/completions", { prompt: ["a", "b"], max_tokens: 3, logprobs: 1, echo: true, n: 2, stop: "z" }],
  ["/v1/completions", { prompt: [[65, 66], [67]], max_tokens: 0, logprobs: 2, echo: true }],
  ["/tokenize", { content: "x", add_special: true, with_pieces: true }],
  ["/detokenize", { tokens: [65] }],
  ["/apply-template", { messages: [{ role: "user", content: "x" }], add_generation_prompt: true }],
  ["/api/conversations", { title: "t", model: "second", settings: { temperature: 1, topK: 3, seed: null } }],
  [
    "/api/conversations/import",
    {
      format: "liang-conversations",
      version: 1,
      exportedAt: 1,
      conversations: [
        {
          id: "1",
          title: "t",
          model: null,
          settings: { minP: 0.5 },
          head: "a",
          createdAt: 1,
          updatedAt: 1,
          messages: [{ id: "a", parent: null, role: "user", content: "x", createdAt: 1, status: "complete" }],
        },
      ],
    },
  ],
];
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  "",
  "text",
  "\u0000\ud800",
  "__proto__",
  [],
  {},
  [[[]]],
  { type: "text" },
  "x".repeat(1500),
];
const MUTANTS = 1500;

test(`${MUTANTS} bodies with one to three values changed are answered or refused, never a failure inside`, async () => {
  await using harness = await createHarness();
  const statuses = new Map<number, number>();
  for (let mutant = 0; mutant < MUTANTS; mutant++) {
    let draws = 0;
    const draw = (below: number) => Math.floor(uniform(20261122, mutant, draws++) * below);
    const [path, body] = BODIES[draw(BODIES.length)];
    let changed: unknown = structuredClone(body);
    for (let changes = 1 + draw(3); changes > 0; changes--) changed = mutate(changed, draw);
    const text = JSON.stringify(changed) ?? "";
    const response = await harness.post(path, text);
    const answer = await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    assert.ok(response.status < 500, `${path} ${text.slice(0, 500)} → ${response.status} ${answer}`);
    if (response.status >= 400) {
      const { error } = JSON.parse(answer) as { error: { message: string; code: string } };
      assert.ok(error.message.length > 0 && error.message.length < 1000 && error.code.length > 0);
    }
  }
  assert.deepEqual(harness.failures, []);
  // Both kinds must occur often, or the mutants would test nothing.
  assert.ok((statuses.get(200) ?? 0) > MUTANTS / 20 && (statuses.get(400) ?? 0) > MUTANTS / 4, String([...statuses]));
});

/** Changes one place of a value, somewhere in its depth. */
function mutate(value: unknown, draw: (below: number) => number): unknown {
  const odd = () => structuredClone(ODD[draw(ODD.length)]);
  if (typeof value !== "object" || value === null || draw(8) === 0) return odd();
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
  const keys = Object.keys(copy);
  if (keys.length === 0) return odd();
  const key = keys[draw(keys.length)] as keyof typeof copy;
  const kind = draw(6);
  if (kind === 0) delete copy[key];
  else if (kind === 1) (copy as Record<string, unknown>)[["extra", "constructor", "toString"][draw(3)]] = odd();
  else (copy as Record<string, unknown>)[key] = mutate(copy[key], draw);
  return copy;
}
