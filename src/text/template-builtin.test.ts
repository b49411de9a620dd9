import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInNames, chooseBuiltIn } from "./template-builtin.ts";
import { builtInTemplate } from "./template.ts";

const VOCABULARY = { controlTexts: ["<s>", "</s>"], variables: { bos_token: "<s>", eos_token: "</s>" } };
const DIALOGUE = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Hello" },
  { role: "user", content: "Bye" },
];

/** How each format writes DIALOGUE, from the formats' own descriptions. */
const EXPECTED: Readonly<Record<string, string>> = {
  chatml:
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
  llama3:
    "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
  gemma:
    "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
  phi3: "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
  zephyr: "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello</s>\n<|user|>\nBye</s>\n<|assistant|>\n",
  mistral: "[INST] Be brief.\n\nHi[/INST] Hello</s>[INST] Bye[/INST]",
  llama2: "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]",
  deepseek: "Be brief.<｜User｜>Hi<｜Assistant｜>Hello</s><｜User｜>Bye<｜Assistant｜>",
  none: "Be brief.\nHiHello\nBye",
  source: "Bye",
};

test("every built-in template is described here", () => {
  assert.deepEqual([...builtInNames].sort(), Object.keys(EXPECTED).sort());
});

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`${name} writes a dialogue as its format has it`, async () => {
    const template = builtInTemplate(name, VOCABULARY);
    assert.equal((await template.render({ messages: DIALOGUE, addGenerationPrompt: true })).text, expected);
  });
}

test("a system message alone is not lost where it joins the user's", async () => {
  for (const name of ["gemma", "mistral", "llama2"]) {
    const { text } = await builtInTemplate(name, VOCABULARY).render({
      messages: DIALOGUE.slice(0, 1),
      addGenerationPrompt: true,
    });
    assert.match(text, /Be brief\./, name);
  }
});

const choose = (...tokens: string[]): string => chooseBuiltIn((token) => tokens.includes(token));

test("turn markers in the vocabulary choose the template; without any it is none", () => {
  assert.equal(choose("<|im_start|>", "<|im_end|>"), "chatml");
  assert.equal(choose("<start_of_turn>", "<end_of_turn>"), "gemma");
  assert.equal(choose("<|user|>", "<|assistant|>"), "zephyr");
  assert.equal(choose("<|user|>", "<|assistant|>", "<|end|>"), "phi3");
  assert.equal(choose("<|im_start|>"), "none");
});
