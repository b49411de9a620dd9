// What goes wrong for a new user: each ends with one sentence on standard error that says what was found and what to do,
// an exit code, nothing on standard output, and never a stack trace.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createFileWriter } from "#platform";
import { openGguf } from "../../src/format/gguf-files.ts";
import { writeGguf } from "../../src/format/gguf-writer.ts";
import { ROOT, liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-cli-failures-"));
const home = join(folder, "home");
const liang = liangIn(home);
const server = createServer();
const model = await readFile(join(ROOT, "models/stories260K.gguf"));
const at = (name: string): string => join(folder, name);

/** A copy of the built-in model in which each of `from` became `to`, of the same length. */
function replaced(from: string, to: string): Uint8Array {
  return Buffer.from(model.toString("latin1").replaceAll(from, to), "latin1");
}

/** A copy whose first attention matrix is said to be stored as type 99. */
function withUnknownType(): Uint8Array {
  const copy = Buffer.from(model);
  const name = "blk.0.attn_q.weight";
  copy.writeUInt32LE(99, copy.indexOf(name) + name.length + 4 + 16); // after the count and both sizes
  return copy;
}

/** The built-in model with 200 layers and a window of 2^24 tokens, whose keys and values would take 400 GB. */
async function writeHuge(path: string): Promise<void> {
  const layers = 200;
  await using files = await openGguf(join(ROOT, "models/stories260K.gguf"));
  const entries = new Map(files.entries);
  entries.set("llama.block_count", { type: "u32", value: layers });
  entries.set("llama.context_length", { type: "u32", value: 2 ** 24 });
  const tensors = [...files.tensors.values()].flatMap(({ name, shape, format, byteLength }) => {
    const names = name.startsWith("blk.0.")
      ? Array.from({ length: layers }, (_, layer) => name.replace("blk.0.", `blk.${layer}.`))
      : name.startsWith("blk.")
        ? []
        : [name];
    return names.map((one) => ({ name: one, shape, format, data: () => [new Uint8Array(byteLength!)] }));
  });
  await using writer = await createFileWriter(path);
  await writeGguf(writer, { entries, tensors });
  await writer.finish();
}

before(async () => {
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "picture.png": png,
    "picture.gguf": png,
    "empty.gguf": "",
    "cut-in-header.gguf": model.subarray(0, 100),
    "cut-in-words.gguf": model.subarray(0, 5000),
    "cut-in-weights.gguf": model.subarray(0, 500_000),
    "cut-at-end.gguf": model.subarray(0, -1),
    "family.gguf": replaced("llama", "llamb"),
    "type.gguf": withUnknownType(),
    "long.txt": "Once upon a time. ".repeat(300),
    "broken/config.json": "{",
    "other/config.json": '{"model_type":"mamba"}',
    "rows.jsonl": '{"text":"a"}\n{"txt":"b"}\n',
    "home-file": "",
  };
  for (const name of ["broken", "other", "nothing"]) await mkdir(at(name));
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
  await writeHuge(at("huge.gguf"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

interface Case {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const run = (name: string, ...args: string[]): string[] => ["run", name, "x", ...args];

const CASES: Readonly<Record<string, () => Case>> = {
  "an unknown command": () => ({ args: ["chatt"], code: 2, says: /no command "chatt".*--help/ }),
  "an unknown option": () => ({ args: run("m", "--tempreature", "1"), code: 2, says: /'--tempreature'.*--help/ }),
  "no words": () => ({ args: ["run"], code: 2, says: /expected: MODEL \[PROMPT\]/ }),
  "a name that is not listed": () => ({
    args: run("qwen"),
    code: 4,
    says: /"qwen"\. There are: liang-shi, stories260k/,
  }),
  "a file that is not there": () => ({ args: run("./no.gguf"), code: 4, says: /no file or folder .*no\.gguf/ }),
  "a picture": () => ({ args: run(at("picture.png")), code: 3, says: /picture\.png: .*expected a GGUF file/ }),
  "a picture named GGUF": () => ({ args: run(at("picture.gguf")), code: 3, says: /expected a GGUF file/ }),
  "an empty file": () => ({ args: run(at("empty.gguf")), code: 3, says: /expected a GGUF file/ }),
  "a file cut in its header": () => ({ args: run(at("cut-in-header.gguf")), code: 3, says: /tensor count is 47/ }),
  "a file cut in its vocabulary": () => ({ args: run(at("cut-in-words.gguf")), code: 3, says: /tokens\[\d+\].*left/ }),
  "a file cut in its weights": () => ({ args: run(at("cut-in-weights.gguf")), code: 3, says: /is it cut off/ }),
  "a file that lacks its last byte": () => ({ args: run(at("cut-at-end.gguf")), code: 3, says: /is it cut off/ }),
  "a family that Liang does not know": () => ({ args: run(at("family.gguf")), code: 3, says: /"llamb".*knows llama/ }),
  "a number format that Liang does not know": () => ({ args: run(at("type.gguf")), code: 3, says: /type 99.*Q4_K_M/ }),
  "a folder without a model": () => ({ args: run(at("nothing")), code: 4, says: /no config\.json and no \.gguf/ }),
  "a folder with a broken config.json": () => ({
    args: run(at("broken")),
    code: 3,
    says: /config\.json.*expected JSON/,
  }),
  "a folder without weights": () => ({ args: run(at("other")), code: 4, says: /no weights in/ }),
  "a window that the memory does not hold": () => ({
    args: run(at("huge.gguf"), "--window", String(2 ** 24)),
    code: 6,
    says: /needs \d+ MB, \d+ MB are available.*smaller window/,
  }),
  "a window that the model does not have": () => ({
    args: run("stories260k", "--window", "100000"),
    code: 2,
    says: /--window is 100000, expected .* 512/,
  }),
  "a prompt longer than the window": () => ({
    args: ["run", "stories260k", "--prompt-file", at("long.txt")],
    code: 5,
    says: /prompt has \d{4} tokens .* 512 tokens/,
  }),
  "an empty standard input": () => ({
    args: ["run", "stories260k"],
    code: 2,
    says: /no prompt.*standard input is empty/,
    input: "",
  }),
  "two prompts": () => ({ args: run("stories260k", "--prompt", "y"), code: 2, says: /two prompts/ }),
  "a prompt file that is a picture": () => ({
    args: ["run", "stories260k", "-f", at("picture.png")],
    code: 3,
    says: /expected a text file in UTF-8/,
  }),
  "an option out of its range": () => ({
    args: run("stories260k", "--max-tokens", "-1"),
    code: 2,
    says: /--max-tokens is -1, expected/,
  }),
  "a document without the field": () => ({
    args: ["eval", "perplexity", "stories260k", "--jsonl", at("rows.jsonl")],
    code: 3,
    says: /line 2, field text is "missing"/,
  }),
  "ids outside of the vocabulary": () => ({
    args: ["inspect", "logits", "stories260k", "--ids", "1,512", "--out", at("x.safetensors")],
    code: 2,
    says: /512 is outside of the vocabulary of 512/,
  }),
  "a line that is no JSON string": () => ({
    args: ["tokenize", "--jsonl"],
    input: '"a"\n{}\n',
    code: 3,
    says: /line 2 is "object", expected a JSON string/,
  }),
  "an output in a folder that is not there": () => ({
    args: ["inspect", "tensor", "stories260k", "output_norm.weight", "--out", at("no/x.safetensors")],
    code: 4,
    says: /Cannot write .*folder is not there/,
  }),
  "a port in use": () => ({
    args: ["serve", "--port", String((server.address() as AddressInfo).port)],
    code: 1,
    says: /Port \d+ is in use.*--port/,
  }),
  "a hub that cannot be reached": () => ({
    args: ["pull", "org/name", "--endpoint", "http://127.0.0.1:1"],
    code: 7,
    says: /Cannot reach 127\.0\.0\.1:1.*network/,
  }),
  "a data folder that is a file": () => ({
    args: ["add", "models/stories260K.gguf"],
    env: { LIANG_HOME: at("home-file") },
    code: 1,
    says: /Nothing can be kept in .*LIANG_HOME/,
  }),
};

/** As a person's shell runs them: one of each way to fail. The others end in this process. */
const AS_PROCESSES = new Set([
  "an unknown command",
  "a picture",
  "a name that is not listed",
  "a hub that cannot be reached",
  "a port in use",
]);

describe("failures", () => {
  for (const [name, make] of Object.entries(CASES)) {
    test(`${name}: one sentence and an exit code`, async () => {
      const { args, code, says, input, env } = make();
      const isProcess = AS_PROCESSES.has(name) || input !== undefined || env !== undefined;
      const ended = isProcess ? await liang.run(args, { input, env }) : await refusalIn(home, args);
      assert.match(ended.stderr, says);
      assert.match(ended.stderr, /^liang: [^\n]+\n$/);
      assert.equal(ended.code, code);
      if ("stdout" in ended) assert.equal(ended.stdout, "");
    });
  }
});
