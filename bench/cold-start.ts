// From a cold process to the first token: the command line is started as a person's shell does and timed until the first
// byte of the reply, five times after a start that packs the weights and emits the kernels; then the parts of a start,
// each the least of as many processes. Files are in the system's cache; parts add up to less than the whole, which also
// starts Node and ends.
// Run: node bench/cold-start.ts MODEL.gguf [--rounds 5] [--main dist/bin.js] [--json]
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const PROMPT = "Hello!"; // the template makes 30 tokens of it
const WINDOW = 1024;

/** Milliseconds of this thread since its last call, and their names. */
function stopwatch(): { readonly mark: (name: string) => void; readonly marks: Record<string, number> } {
  let last = performance.now();
  const marks: Record<string, number> = {};
  return {
    marks,
    mark(name) {
      const now = performance.now();
      marks[name] = now - last;
      last = now;
    },
  };
}

/** What `load` and a first reply do, part by part. */
async function parts(path: string): Promise<Record<string, number>> {
  const { mark, marks } = stopwatch();
  marks["Node starts"] = performance.now();
  const { openModelParts } = await import("../src/chat/model-parts.ts");
  const { createTextSide } = await import("../src/chat/text-side.ts");
  const { openExecutor } = await import("../src/chat/executors.ts");
  const { fitModel } = await import("../src/chat/memory.ts");
  const { openPacks } = await import("../src/chat/packs.ts");
  const { openEngine } = await import("../src/engine/engine.ts");
  const { dataFolder } = await import("../src/platform/node/index.ts");
  const { emitterFolder } = await import("../src/lanes/sources.ts");
  const { codeFolder, openCodeCache } = await import("../src/store/code-cache.ts");
  const executor = await openExecutor();
  mark("modules");
  await using model = await openModelParts(path);
  mark("header, vocabulary");
  const packs = openPacks({});
  const { engine } = await fitModel(model, executor, { window: WINDOW, slots: 1 }, undefined, { packs });
  mark("tracing, lowering, placing");
  const codes = openCodeCache(codeFolder(dataFolder()), emitterFolder);
  await using opened = await openEngine(model.model, model.store, executor, { ...engine, codes });
  mark("kernels, threads, mapping");
  const texts = createTextSide({ tokenizer: model.tokenizer, template: model.chosen.template });
  const ids = await texts.promptIds([{ role: "user", content: PROMPT }]);
  mark("template, prompt's tokens");
  for await (const event of opened.generate({ ids, maxTokens: 1 })) {
    if (event.type === "token") mark(`first token, of a prompt of ${ids.length}`);
  }
  return marks;
}

interface Ended {
  readonly firstByteMs: number;
  readonly stdout: string;
}

/** Runs a process to its end. */
async function timed(args: readonly string[], home: string): Promise<Ended> {
  const cache = join(root, "node_modules/.cache/node"); // as the `liang` script has it
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    env: { NODE_COMPILE_CACHE: cache, ...process.env, LIANG_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let firstByteMs = Infinity;
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    firstByteMs = Math.min(firstByteMs, performance.now() - start);
    stdout += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
  return { firstByteMs, stdout };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    main: { type: "string", default: "src/cli/main.ts" },
    parts: { type: "boolean" },
    json: { type: "boolean" },
  },
});
const [path] = positionals;
if (values.parts) {
  console.log(JSON.stringify(await parts(path)));
} else {
  const home = await mkdtemp(join(tmpdir(), "liang-cold-start-"));
  try {
    const rounds = Number(values.rounds);
    const run = [join(root, values.main), "run", path, PROMPT, "--max-tokens", "1", "--temperature", "0"];
    const command = ["--no-warnings=ExperimentalWarning", ...run, "--window", `${WINDOW}`];
    const { firstByteMs: firstStartMs } = await timed(command, home);
    const wholes: number[] = [];
    const least: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      wholes.push((await timed(command, home)).firstByteMs);
      const { stdout } = await timed([import.meta.filename, path, "--parts"], home);
      for (const [name, ms] of Object.entries(JSON.parse(stdout) as Record<string, number>)) {
        least[name] = Math.min(ms, least[name] ?? Infinity);
      }
    }
    wholes.sort((a, b) => a - b);
    const [best, median] = [wholes[0], wholes[Math.floor(rounds / 2)]];
    if (values.json) console.log(JSON.stringify({ model: path, firstStartMs, best, median, parts: least }));
    else {
      for (const [name, ms] of Object.entries(least)) console.log(`${name.padEnd(36)} ${ms.toFixed(0).padStart(6)} ms`);
      console.log(`${"process to first token, best".padEnd(36)} ${best.toFixed(0).padStart(6)} ms`);
      console.log(`${"process to first token, median".padEnd(36)} ${median.toFixed(0).padStart(6)} ms`);
      console.log(`${"the first start of all".padEnd(36)} ${firstStartMs.toFixed(0).padStart(6)} ms`);
    }
  } finally {
    await rm(home, { recursive: true });
  }
}
