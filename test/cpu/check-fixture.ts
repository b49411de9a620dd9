// A program for check.test.ts: gathers one row of a table, by an id that may lie outside. Arguments: tier, id.
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { parseTier } from "../../src/device/cpu/tiers.ts";
import { gather, graph, input, parameter, silu } from "../../src/graph/index.ts";
import { memoryStore, randomParameter } from "./stores.ts";

const [tier, id] = process.argv.slice(2);
const ROWS = 32;
const COLUMNS = 64;
const table = { table: randomParameter(1, "f32", ROWS, COLUMNS) };
const ids = input("ids", [{ name: "rows", bound: 1 }], "i32");
const program = graph({ y: silu(gather(parameter("table", [ROWS, COLUMNS]), ids)) });
const executor = createCpuExecutor({ tier: parseTier(tier, "The tier") });
await using opened = await executor.open(memoryStore(table), { program }, { threads: 1 });
opened.programs.program.inputs.ids[0] = Number(id);
try {
  await opened.programs.program.run({ rows: 1 });
  process.stdout.write("ran");
} catch (error) {
  process.stdout.write((error as Error).name);
}
