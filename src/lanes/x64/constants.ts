// Where constants live: those that loops read often enough are made once before the first use's outermost loop and want a
// register; the others are made, or read from the pool, where they are needed.
import { type Code, type Item, type Program, eachRead, makesInPlace, placeBefore } from "./code.ts";
import { LOOP_TURNS } from "./live.ts";
import type { ConstantPool } from "./pool.ts";
import { type Frame, constantCode, spill } from "./spill.ts";

/** What a read costs without a register, in instructions: as an operand in memory, or made first. */
const AS_OPERAND = 0.3;
const MADE = 1;

export function placeConstants(program: Program, frame: Frame, pool: ConstantPool): void {
  const { constants, items } = program;
  const benefits = new Map<number, number>();
  const firstItems = new Map<number, number>();
  const visit = (code: Code, weight: number, top: number): void => {
    eachRead(code, (id) => {
      const bits = constants.get(id);
      if (bits === undefined) return;
      if (!firstItems.has(id)) firstItems.set(id, top);
      const isOperand = code.memoryAt >= 0 && isValue(code, code.memoryAt, id) && bits !== 0;
      const cost = makesInPlace(program, code, id) ? 0 : isOperand ? AS_OPERAND : MADE;
      benefits.set(id, (benefits.get(id) ?? 0) + cost * weight);
    });
  };
  const walk = (block: readonly Item[], weight: number, top: number | undefined): void => {
    block.forEach((item, i) => {
      if (item.kind === "code") visit(item, weight, top ?? i);
      else if (item.kind === "loop") walk(item.body, weight * LOOP_TURNS, top ?? i);
      else [item.body, item.otherwise].forEach((inner) => walk(inner, weight, top ?? i));
    });
  };
  walk(items, 1, undefined);

  const kept = [...firstItems].filter(([id]) => benefits.get(id)! > MADE);
  const keptIds = new Set(kept.map(([id]) => id));
  const made = Map.groupBy(kept, ([, top]) => placeBefore(items, top));
  const out = items.flatMap((item, i): Item[] => [
    ...(made.get(i) ?? []).map(([id]) => constantCode(program, pool, id, id)),
    item,
  ]);
  items.length = 0;
  for (const item of out) items.push(item);
  spill(
    program,
    [...constants.keys()].filter((id) => !keptIds.has(id)),
    frame,
    pool,
  );
}

function isValue(code: Code, at: number, id: number): boolean {
  const source = code.sources[at];
  return source?.kind === "value" && source.id === id;
}
