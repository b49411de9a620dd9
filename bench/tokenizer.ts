// Tokenizer speed beside tiktoken's (Rust, through Python), on one thread: cl100k over a book in English and one in
// Chinese, line by line, the two sides alternating, best of five. Both sides must give the same number of tokens.
//
//   pip install tiktoken==0.14.0
//   node bench/tokenizer.ts [--python PYTHON]        (the reference data: LIANG_SHARED, else ../shared)
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { parseTiktoken } from "../src/format/tiktoken.ts";
import { tiktokenEncodings, tokenizerFromRanks } from "../src/text/from-ranks.ts";
import { patterns } from "../src/text/pre-tokenizers.ts";
import { sharedData } from "../test/shared-data.ts";

const ROUNDS = 5;
const BOOKS = { English: "pretrain/en/war-and-peace.txt", Chinese: "pretrain/zh/novels/红楼梦.txt" };

const { values } = parseArgs({ options: { python: { type: "string", default: "python3" } } });
const ranks = sharedData("tokenizers/cl100k_base.tiktoken").path;

const child = spawn(values.python, [`${import.meta.dirname}/tokenizer-tiktoken.py`, ranks], {
  stdio: ["pipe", "pipe", "inherit"],
});
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

async function tiktoken(path: string): Promise<{ seconds: number; tokens: number; version: string }> {
  child.stdin.write(`${path}\n`);
  const answer = await answers.next();
  if (answer.done) throw new Error("tiktoken ended: is it installed for this Python?");
  const [seconds, tokens, version] = answer.value.split(" ");
  return { seconds: Number(seconds), tokens: Number(tokens), version };
}

const loadStart = performance.now();
const tokenizer = tokenizerFromRanks(parseTiktoken(ranks, readFileSync(ranks, "latin1")), {
  ...tiktokenEncodings["cl100k_base"],
  pattern: patterns.cl100kRewritten,
});
const madeAt = performance.now();
tokenizer.encode("first");
const readyAt = performance.now();

console.log(`${cpus()[0].model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
console.log(`load ${(madeAt - loadStart).toFixed(0)} ms, first text ${(readyAt - madeAt).toFixed(0)} ms`);
for (const [name, file] of Object.entries(BOOKS)) {
  const { path } = sharedData(file);
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n");
  const megabytes = Buffer.byteLength(text) / 1e6;
  let first = 0; // the round that meets every word for the first time
  let ours = Infinity;
  let theirs = Infinity;
  let version = "";
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let tokens = 0;
    for (const line of lines) tokens += tokenizer.encode(line).length;
    const seconds = (performance.now() - start) / 1000;
    if (round === 0) first = seconds;
    ours = Math.min(ours, seconds);
    const other = await tiktoken(path);
    if (other.tokens !== tokens) throw new Error(`${name}: ${tokens} tokens here, ${other.tokens} there`);
    theirs = Math.min(theirs, other.seconds);
    ({ version } = other);
  }
  const speed = (seconds: number) => `${(megabytes / seconds).toFixed(1)} MB/s`;
  console.log(
    `${name}: Liang ${speed(ours)} (first round ${speed(first)}), tiktoken ${version} ${speed(theirs)}, ratio ${(theirs / ours).toFixed(2)}`,
  );
}
child.stdin.end();
