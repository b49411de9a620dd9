// Makes values of variables where the code is straight: what is read after it was set is what was set, and what is set
// again before anybody reads it is not set. Loops and conditions keep the variables that they change.
import type { Statement } from "../ir.ts";

/** Which value each read of a variable gives, for those that are known. Values are those of the kernel. */
export function knownReads(body: readonly Statement[]): Map<number, number> {
  const known = new Map<number, number>();
  const walk = (block: readonly Statement[], current: Map<number, number>): void => {
    for (const statement of block) {
      if (statement.kind === "get") {
        const value = current.get(statement.variable);
        if (value === undefined) current.set(statement.variable, statement.result);
        else known.set(statement.result, value);
      } else if (statement.kind === "set") {
        current.set(statement.variable, known.get(statement.value) ?? statement.value);
      } else if (statement.kind !== "do") {
        const blocks = statement.kind === "loop" ? [statement.body] : [statement.body, statement.otherwise];
        const changed = new Set<number>();
        for (const inner of blocks) collectSets(inner, changed);
        const forget = (): void => changed.forEach((variable) => void current.delete(variable));
        if (statement.kind === "loop") forget();
        for (const inner of blocks) walk(inner, new Map(current));
        forget();
      }
    }
  };
  walk(body, new Map());
  return known;
}

function collectSets(block: readonly Statement[], sets: Set<number>): void {
  for (const statement of block) {
    if (statement.kind === "set") sets.add(statement.variable);
    if (statement.kind === "loop") collectSets(statement.body, sets);
    if (statement.kind === "if") [statement.body, statement.otherwise].forEach((inner) => collectSets(inner, sets));
  }
}

/** The variables that a kernel's last sets of a block may be read from again. */
export function collectReads(block: readonly Statement[], reads: Set<number>): void {
  for (const statement of block) {
    if (statement.kind === "get") reads.add(statement.variable);
    if (statement.kind === "loop") collectReads(statement.body, reads);
    if (statement.kind === "if") [statement.body, statement.otherwise].forEach((inner) => collectReads(inner, reads));
  }
}
