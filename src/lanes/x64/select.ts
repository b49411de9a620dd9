// Chooses instructions for a simplified kernel, statement by statement in the kernel's order: values stay unnumbered by
// registers, and destructive forms and constants are left open for later (live.ts, constants.ts). What one statement
// becomes: select-ints.ts for scalars, select-vectors.ts for registers of lanes.
import type { Statement, TracedKernel } from "../ir.ts";
import { type Item, type Program, NONE, POOL, code, place, target, value } from "./code.ts";
import type { ConstantPool } from "./pool.ts";
import { emitCondition, integers, inverse } from "./select-ints.ts";
import { vectors } from "./select-vectors.ts";
import { Selection } from "./selection.ts";
import type { CodeFacts } from "./source.ts";

function selectBlock(s: Selection, statements: readonly Statement[], items: Item[]): void {
  const outer = s.items;
  s.items = items;
  for (const statement of statements) selectStatement(s, statement);
  s.items = outer;
}

function selectStatement(s: Selection, statement: Statement): void {
  switch (statement.kind) {
    case "do":
      if (s.plan.absorbed.has(statement.result)) return;
      return (integers[statement.op] ?? vectors[statement.op])!(s, statement);
    case "get":
      return s.copy(statement.result, value(statement.variable));
    case "set":
      return s.copy(statement.variable, value(statement.value));
    case "loop":
      return selectLoop(s, statement);
    case "if":
      return selectBranch(s, statement);
    default:
      statement satisfies never;
  }
}

function selectLoop(s: Selection, statement: Statement & { kind: "loop" }): void {
  const { counter, from, to, step } = statement;
  const [begin, end] = [s.label(), s.label()];
  const [first, last] = [s.int(from), s.int(to)];
  const runs = first.kind === "immediate" && last.kind === "immediate" && first.value < last.value;
  s.copy(counter, first);
  if (!runs) {
    s.emit("cmp", 64, NONE, [value(counter), last], { memoryAt: 1 });
    s.emit("jge", 0, NONE, [target(end)]);
  }
  const body: Item[] = [code("label", 0, NONE, [target(begin)])];
  s.items.push({ kind: "loop", body });
  selectBlock(s, statement.body, body);
  body.push(
    code("add", 64, counter, [value(counter), s.int(step)], { tied: true, memoryAt: 1 }),
    code("cmp", 64, NONE, [value(counter), last], { memoryAt: 1 }),
    code("jl", 0, NONE, [target(begin)]),
  );
  s.emit("label", 0, NONE, [target(end)]);
}

function selectBranch(s: Selection, statement: Statement & { kind: "if" }): void {
  const [other, end] = [s.label(), s.label()];
  const condition = emitCondition(s, statement.condition);
  const [body, otherwise]: [Item[], Item[]] = [[], []];
  s.emit(`j${inverse[condition]}`, 0, NONE, [target(other)]);
  s.items.push({ kind: "branch", body, otherwise });
  selectBlock(s, statement.body, body);
  if (statement.otherwise.length > 0) body.push(code("jmp", 0, NONE, [target(end)]));
  body.push(code("label", 0, NONE, [target(other)]));
  selectBlock(s, statement.otherwise, otherwise);
  s.emit("label", 0, NONE, [target(end)]);
}

/** Code of a kernel, with `arguments` the general registers of record, part, parts, scratch. */
export function select(
  kernel: TracedKernel,
  machine: CodeFacts,
  argumentRegisters: readonly number[],
  pool: ConstantPool,
): Program {
  const selection = new Selection(kernel, machine, pool);
  for (const statement of kernel.body) {
    if (statement.kind !== "do") continue;
    const { op, immediate: which, result } = statement;
    const argument = op === "int.scratch" ? 3 : op === "int.parameter" ? which : undefined;
    if (argument === undefined) continue;
    selection.emit("mov", 64, result, [], { isCopy: true, fixed: argumentRegisters[argument] });
  }
  const configuration = selection.items.length;
  selectBlock(selection, kernel.body, selection.items);
  if (selection.usesTiles) {
    const at = place(POOL, pool.bytesAt("tiles", tileConfiguration()));
    selection.items.splice(configuration, 0, code("ldtilecfg", 0, NONE, [at]));
    selection.emit("tilerelease", 0, NONE, []);
  }
  return selection.program;
}

/** Palette 1; bytes of a row and rows of each of the eight tiles (Intel SDM volume 1, table 18-1). */
function tileConfiguration(): number[] {
  const bytes = Array<number>(64).fill(0);
  bytes[0] = 1;
  for (let tile = 0; tile < 8; tile++) {
    bytes[16 + 2 * tile] = 64;
    bytes[48 + tile] = 16;
  }
  return bytes;
}
