// Liang beside llama.cpp (through node-llama-cpp, bench/peers/node-llama-cpp): both sides stay loaded and take turns,
// the same ids, greedy, f16 keys and values, equal threads; one round does not count, then the best of the others.
// Prints a table and, with --json FILE, all numbers. Run: npm run bench, or
// node bench/speed/compare.ts [--models FOLDER] [--rounds 5] [--threads 2] [--only NAME,...] [--json FILE]
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Match, type Scenario, scenarios } from "./scenarios.ts";
import { type Answer, type Question, Side } from "./side.ts";

const { values } = parseArgs({
  options: {
    models: {
      type: "string",
      default: process.env.LIANG_TEST_MODELS ?? join(homedir(), ".cache", "liang-test-models"),
    },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    only: { type: "string" },
    json: { type: "string" },
  },
});
const threads = Number(values.threads);
const rounds = Number(values.rounds);

const scriptOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const liang = scriptOf("./liang.ts");
const peerFolder = "../peers/node-llama-cpp/";
const peers = {
  all: scriptOf(`${peerFolder}side.mjs`),
  "no AMX": scriptOf(`${peerFolder}limited/no-amx/side.mjs`),
  AVX2: scriptOf(`${peerFolder}limited/avx2/side.mjs`),
} as const;

interface Row {
  readonly scenario: string;
  readonly what: string;
  readonly tier: string;
  /** Tokens a second, best round. */
  readonly ours: number;
  readonly theirs: number | undefined;
  /** Best of the rounds' ratios is not meant: best over best. */
  readonly ratio: number | undefined;
  readonly readGbPerSecond: number;
  /** Weight bytes a token times our tokens a second, of the bandwidth measured between the rounds. */
  readonly shareOfBandwidth: number | undefined;
  readonly goal: string;
  readonly rounds: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}

interface Peak {
  readonly scenario: string;
  readonly ours: number | undefined;
  readonly theirs: number | undefined;
}

/** Ids spread over the vocabulary but for its beginning, another sequence each round. */
const idsOf = (count: number, round: number): number[] =>
  Array.from({ length: count }, (_, i) => 300 + (((round * count + i) * 7919) % 100_000));

function questionOf({ run, prompt, tokens }: Match, round: number): Question {
  // what is held stays the same over the rounds
  if (run === "deep") return { run, ids: idsOf(prompt, 0), tokens };
  return { run, ids: idsOf(prompt, round), tokens };
}

const speedOf = ({ run, prompt, tokens }: Match, sequences: number, { ms }: Answer): number =>
  ((run === "prefill" ? prompt : tokens * (run === "batch" ? sequences : 1)) * 1000) / ms!;

async function play(scenario: Scenario): Promise<{ rows: Row[]; peak: Peak }> {
  const { window, sequences = 1, tier } = scenario;
  const options = { model: join(values.models, scenario.model), threads, window, sequences };
  const peer = peers[scenario.peer];
  await using ours = await Side.start(liang, { ...options, ...(tier && { environment: { LIANG_CPU: tier } }) });
  await using theirs = existsSync(peer) ? await Side.start(peer, options) : undefined;
  const speeds = scenario.matches.map(() => ({ ours: [] as number[], theirs: [] as number[] }));
  const bandwidths: number[] = [];
  let peak: Peak | undefined;
  for (let round = 0; round <= rounds; round++) {
    for (const [i, match] of scenario.matches.entries()) {
      const question = questionOf(match, round);
      const mine = speedOf(match, sequences, await ours.ask(question));
      const other = theirs && speedOf(match, sequences, await theirs.ask(question));
      if (round === 0) continue;
      speeds[i].ours.push(mine);
      if (other !== undefined) speeds[i].theirs.push(other);
    }
    // before the measurement of bandwidth, which takes memory of its own
    peak ??= { scenario: scenario.name, ours: await ours.peakBytes(), theirs: await theirs?.peakBytes() };
    bandwidths.push((await ours.ask({ run: "bandwidth" })).gbPerSecond!);
  }
  const readGbPerSecond = Math.max(...bandwidths);
  const rows = scenario.matches.map((match, i): Row => {
    const mine = Math.max(...speeds[i].ours);
    const other = speeds[i].theirs.length > 0 ? Math.max(...speeds[i].theirs) : undefined;
    const streamed = (mine * (ours.ready.bytesPerToken! + (match.cacheBytes ?? 0))) / 1e9;
    return {
      scenario: scenario.name,
      what: match.label,
      tier: ours.ready.tier!,
      ours: mine,
      theirs: other,
      ratio: other && mine / other,
      readGbPerSecond,
      shareOfBandwidth: match.run === "decode" || match.run === "deep" ? streamed / readGbPerSecond : undefined,
      goal: match.goal,
      rounds: speeds[i],
    };
  });
  return { rows, peak: peak! };
}

const number = (value: number | undefined, digits = 3): string =>
  value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value.toPrecision(digits);

const wanted = values.only?.split(",");
const rows: Row[] = [];
const peaks: Peak[] = [];
console.log("| scenario | what | tier | ours tok/s | llama.cpp tok/s | ratio | GB/s read | of bandwidth | goal |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const scenario of scenarios) {
  if (wanted !== undefined && !wanted.includes(scenario.name)) continue;
  const played = await play(scenario);
  rows.push(...played.rows);
  peaks.push(played.peak);
  for (const row of played.rows) {
    const share = row.shareOfBandwidth === undefined ? "–" : `${(100 * row.shareOfBandwidth).toFixed(0)} %`;
    const cells = [row.scenario, row.what, row.tier, number(row.ours), number(row.theirs), number(row.ratio)];
    console.log(`| ${[...cells, number(row.readGbPerSecond), share, row.goal].join(" | ")} |`);
  }
}
console.log("\n| scenario | peak resident, ours MB | llama.cpp MB |\n| --- | --- | --- |");
for (const { scenario, ours, theirs } of peaks) {
  console.log(`| ${scenario} | ${number(ours && ours / 1e6)} | ${number(theirs && theirs / 1e6)} |`);
}
if (values.json !== undefined) {
  const facts = { date: new Date().toISOString(), node: process.version, threads, rounds };
  await writeFile(values.json, JSON.stringify({ ...facts, rows, peaks }, undefined, 1));
}
