// What a kernel's machine code is made of, and the text of that: of the same source comes the same code.
import type { Machine, Statement, TracedKernel } from "../ir.ts";

/** All that emitting asks of a machine; what else it has shows in what was traced for it. */
export type CodeFacts = Pick<Machine, "lanes" | "registers" | "dot">;

/** Which bytes a dot product may hold is asked by kernels that have one: code of others is every such machine's. */
export function codeFacts({ body }: TracedKernel, { lanes, registers, dot }: CodeFacts): CodeFacts {
  return { lanes, registers, dot: hasDot(body) ? dot : "none" };
}

/** A kernel and what its code depends on, as text: what machine code is kept by. */
export function codeSource(traced: TracedKernel, machine: CodeFacts): string {
  return JSON.stringify({ facts: codeFacts(traced, machine), traced, unsaid: unsaidIn(traced.body) });
}

const hasDot = (body: readonly Statement[]): boolean =>
  body.some((statement) => {
    if (statement.kind === "loop") return hasDot(statement.body);
    if (statement.kind === "if") return hasDot(statement.body) || hasDot(statement.otherwise);
    return statement.kind === "do" && statement.op === "ints.dotBytes";
  });

/** Numbers that JSON does not tell apart: what has them, and what they are. */
function unsaidIn(body: readonly Statement[]): string[] {
  return body.flatMap((statement) => {
    if (statement.kind === "loop") return unsaidIn(statement.body);
    if (statement.kind === "if") return [...unsaidIn(statement.body), ...unsaidIn(statement.otherwise)];
    if (statement.kind !== "do") return [];
    const { immediate, result } = statement;
    if (Object.is(immediate, -0)) return [`${result} -0`];
    return Number.isFinite(immediate) ? [] : [`${result} ${immediate}`];
  });
}
