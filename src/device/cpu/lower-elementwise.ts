// Groups of element-by-element values (elementwise-groups.ts) as steps: each one expression, one pass over memory.
import { type Tensor, attributesOf, binaryOp, scaleOp, unaryOp } from "../../graph/index.ts";
import { broadcastOp, constantOp, sameShape } from "../../graph/index.ts";
import { type Group, isAssign, operandsOf, shapeOf, sourceOf } from "./elementwise-groups.ts";
import { type ExpressionValue, type Reach, expressionKernel, isByRow } from "./kernels/expression.ts";
import { LEAST_ELEMENTS } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { type Place, type Word, countOf, floatWord, partsOf } from "./step.ts";

/** A group's values, the words of what they read, and which value each member is. */
export interface GroupExpression {
  readonly values: readonly ExpressionValue[];
  readonly words: Record<string, Word>;
  readonly indices: ReadonlyMap<Tensor, number>;
}

export function expressionOf({ members }: Group, lowering: Lowering): GroupExpression {
  const values: ExpressionValue[] = [];
  const words: Record<string, Word> = {};
  const indices = new Map<Tensor, number>();
  const known = new Map<string, number>();
  let [operands, constants] = [0, 0];

  const add = (value: ExpressionValue): number => values.push(value) - 1;
  const once = (key: string, make: () => number): number => {
    const index = known.get(key) ?? make();
    known.set(key, index);
    return index;
  };
  const constant = (number: number): number =>
    once(`constant ${Object.is(number, -0) ? "-0" : number}`, () => {
      words[`c${constants++}`] = floatWord(number);
      return add({ kind: "constant" });
    });
  const load = (source: Tensor, reach: Reach): number => {
    const place = lowering.place(source);
    return once(`${reach} ${nameOf(place)}`, () => {
      words[`x${operands++}`] = place;
      return add({ kind: "operand", reach });
    });
  };
  const operand = (tensor: Tensor): number => {
    const member = indices.get(tensor);
    if (member !== undefined) return member;
    const source = sourceOf(tensor);
    if (source.op === constantOp) return constant(attributesOf(source, constantOp).value);
    return load(source, tensor.op === broadcastOp ? reachOf(source, tensor) : "each");
  };
  const compute = (node: Tensor): number => {
    if (node.op === constantOp || node.op === broadcastOp) return operand(node);
    const inputs = operandsOf(node).map(operand);
    if (isAssign(node)) return inputs[0];
    if (node.op === unaryOp) return add({ kind: "unary", by: attributesOf(node, unaryOp).kind, x: inputs[0] });
    const [a, b] = node.op === scaleOp ? [inputs[0], constant(attributesOf(node, scaleOp).factor)] : inputs;
    return add({ kind: "binary", by: node.op === scaleOp ? "multiply" : attributesOf(node, binaryOp).kind, a, b });
  };

  for (const member of members) indices.set(member, compute(member));
  return { values, words, indices };
}

/** One step that computes a group's values and stores those that others read. */
export function lowerGroup(group: Group, lowering: Lowering): void {
  const { members } = group;
  const shape = shapeOf(group);
  const { values, words, indices } = expressionOf(group, lowering);
  const stored = new Map<Place, number>();
  for (const [member, index] of indices) {
    const readers = lowering.readers(member);
    if (isAssign(member) || readers?.every((reader) => members.has(reader)) !== true) {
      stored.set(lowering.place(member), index);
    }
  }
  [...stored.keys()].forEach((place, i) => (words[`out${i}`] = place));
  const expression = { values, results: [...stored.values()] };
  const count = countOf(shape);
  const width = group.width > 0 ? group.width : (shape[1] as number);
  if (!isByRow(expression)) {
    lowering.step({
      kernel: expressionKernel(expression),
      words: { ...words, count },
      parts: partsOf(count, LEAST_ELEMENTS),
    });
    return;
  }
  const repeat = (shape[1] as number) / width;
  const rows = countOf([shape[0]], repeat);
  lowering.step({
    kernel: expressionKernel(expression),
    words: { ...words, rows, width, repeat },
    parts: partsOf(rows, Math.ceil(LEAST_ELEMENTS / width)),
  });
}

const nameOf = (place: Place): string => `${place.kind} ${place.kind === "arena" ? place.index : place.name}`;

/** How what `broadcast` repeats is read. */
function reachOf(source: Tensor, broadcast: Tensor): Reach {
  if (sameShape(source.shape, broadcast.shape)) return "each";
  if (sameShape(source.shape, [1])) return "one";
  return source.shape.length === 1 ? "row" : "column";
}
