// The speed of tokenizer training beside the tokenizers library's (Rust, through Python): byte-level BPE, 8,192 tokens,
// GPT-2's pattern, two threads a side, 15 MB of English books and 15 MB of classical and modern Chinese; the two sides
// alternate. Trained on the same lines, both must give the same merges.
//
//   pip install tokenizers==0.23.3
//   node bench/tokenizer-train.ts [--python PYTHON] [--rounds N]     (the reference data: LIANG_SHARED, else ../shared)
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { trainTokenizer, type TrainedTokenizer, type TrainingTexts } from "../src/text/training/index.ts";
import { sharedData } from "../test/shared-data.ts";

const BYTES = 15e6;
const VOCABULARY = 8192;
const THREADS = 2;
const ARCHIVES = { English: "pretrain/en/classic-books.tar.xz", Chinese: "pretrain/zh/classical-modern-bitext.tar.xz" };

const { values } = parseArgs({
  options: { python: { type: "string", default: "python3" }, rounds: { type: "string", default: "2" } },
});
const folder = mkdtempSync(join(tmpdir(), "liang-bench-"));

/** The first 15 MB of an archive's files, in the order of their names; whole characters. */
function textFile(name: string, archive: string): string {
  const unpacked = join(folder, name);
  execFileSync("mkdir", [unpacked]);
  execFileSync("tar", ["-xJf", sharedData(archive).path, "-C", unpacked]);
  const parts: Buffer[] = [];
  let size = 0;
  const entries = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  for (const path of paths) {
    if (size >= BYTES) break;
    const bytes = readFileSync(path);
    parts.push(bytes);
    size += bytes.length;
  }
  let end = BYTES;
  const all = Buffer.concat(parts);
  while ((all[end] & 0xc0) === 0x80) end--;
  const file = join(folder, `${name}.txt`);
  writeFileSync(file, all.subarray(0, end));
  return file;
}

const train = (source: TrainingTexts): Promise<TrainedTokenizer> =>
  trainTokenizer(source, {
    kind: "bpe",
    vocabularySize: VOCABULARY,
    preTokenizer: "gpt-2",
    specials: { roles: {} },
    threads: THREADS,
  });
const mergesOf = (tokenizer: object): string[] =>
  (tokenizer as { model: { merges: [string, string][] } }).model.merges.map((pair) => pair.join(" "));

const child = spawn(values.python, [`${import.meta.dirname}/tokenizer-train-peer.py`, String(VOCABULARY)], {
  stdio: ["pipe", "pipe", "inherit"],
  env: { ...process.env, RAYON_NUM_THREADS: String(THREADS), TOKENIZERS_PARALLELISM: "true" },
});
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

async function peer(file: string): Promise<{ seconds: number; version: string; tokenizer: object }> {
  child.stdin.write(`${file}\n`);
  const answer = await answers.next();
  if (answer.done) throw new Error("The peer ended: is tokenizers installed for this Python?");
  return JSON.parse(answer.value) as { seconds: number; version: string; tokenizer: object };
}

try {
  console.log(`${cpus()[0].model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
  for (const [name, archive] of Object.entries(ARCHIVES)) {
    const file = textFile(name, archive);
    let ours = Infinity;
    let theirs = Infinity;
    let version = "";
    let merges: string[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const start = performance.now();
      await train({ files: [file] });
      ours = Math.min(ours, (performance.now() - start) / 1000);
      const other = await peer(file);
      theirs = Math.min(theirs, other.seconds);
      version = other.version;
      merges = mergesOf(other.tokenizer);
    }
    const lines = readFileSync(file, "utf8").split(/(?<=\n)/);
    const same = mergesOf((await train({ texts: lines })).tokenizer);
    const wrong = same.findIndex((merge, rank) => merge !== merges[rank]);
    if (wrong >= 0 || same.length !== merges.length) throw new Error(`${name}: merge ${wrong} differs`);
    console.log(
      `${name}: Liang ${ours.toFixed(2)} s, tokenizers ${version} ${theirs.toFixed(2)} s, ratio ${(theirs / ours).toFixed(1)}, ${merges.length} equal merges`,
    );
  }
} finally {
  child.stdin.end();
  rmSync(folder, { recursive: true });
}
