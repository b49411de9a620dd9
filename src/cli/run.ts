// `liang run`: one prompt in, one reply out, streamed. The prompt is words, --prompt, a file or standard input.
import process from "node:process";
import { text } from "node:stream/consumers";
import { UsageError } from "../base/errors.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { readTextFile } from "./text-file.ts";
import { adapterOption, generateOptions, loadOptions, loadingOptions, samplingOptions } from "./sampling.ts";
import { cutNote, stream, summary } from "./reply.ts";
import { note, out, outJson, paint, write } from "./terminal.ts";

export const command = defineCommand({
  summary: "Answers one prompt.",
  usage: "MODEL [PROMPT]",
  words: { least: 1, most: 2 },
  options: {
    prompt: { type: "string", short: "p", help: "the prompt" },
    "prompt-file": {
      type: "string",
      short: "f",
      hint: "FILE",
      help: "read the prompt from a file (-: standard input)",
    },
    system: { type: "string", short: "s", help: "system prompt" },
    raw: { type: "boolean", help: "use no chat template: continue the text" },
    json: { type: "boolean", help: "print one JSON document when done" },
    adapter: adapterOption,
    stats: { type: "boolean", help: "say tokens and speed at the end" },
    ...samplingOptions,
    ...loadingOptions,
  },
  notes: [
    "Prompt and prompt file together: the file comes after. With neither, standard",
    "input is read, but for its last line break.",
  ],
  async run(options, [model, word], signal) {
    if (options.prompt !== undefined && word !== undefined) {
      throw new UsageError("There are two prompts, a word and --prompt.", { field: "prompt", hint: "Give one." });
    }
    const prompt = await readPrompt(options.prompt ?? word, options["prompt-file"]);
    if (options.raw === true && options.system !== undefined) {
      throw new UsageError("--raw uses no template, so --system has no place.", { field: "system" });
    }
    // the caches of other conversations would take a large page a layer each, unused
    await using loaded = await openModel(model, {
      ...loadOptions(options),
      adapter: options.adapter,
      slots: 1,
      beams: options.beams,
      signal,
    });
    const settings = { ...generateOptions(options), signal };
    const system = options.system === undefined ? [] : [{ role: "system" as const, content: options.system }];
    const events = options.raw
      ? loaded.generate(prompt, settings)
      : loaded.chat([...system, { role: "user", content: prompt }], settings);
    if (options.json) {
      const { reply, end } = await stream(events, () => undefined);
      const { ids, promptIds, finishReason, usage, timings, seed } = end;
      outJson({ text: reply, ids, promptIds, finishReason, usage, timings, seed });
      return;
    }
    let hasText = false;
    const { end } = await stream(events, (text) => {
      hasText = true;
      write(text);
    }).finally(() => hasText && out(""));
    if (settings.maxTokens === undefined) cutNote(end, loaded.info.window);
    if (options.stats) note(paint("faint", summary(end), process.stderr));
  },
});

async function readPrompt(prompt: string | undefined, file: string | undefined): Promise<string> {
  if (prompt !== undefined && file === undefined) return prompt;
  if (file === undefined && process.stdin.isTTY) {
    throw new UsageError("There is no prompt.", { hint: "Give it as a word, --prompt, --prompt-file or a pipe." });
  }
  const isPiped = file === undefined || file === "-";
  const content = isPiped ? (await text(process.stdin)).replace(/\r?\n$/, "") : await readTextFile(file);
  if (content === "" && prompt === undefined) {
    throw new UsageError(`There is no prompt: ${isPiped ? "standard input" : file} is empty.`, { field: "prompt" });
  }
  return prompt === undefined ? content : `${prompt}\n\n${content}`;
}
