// Checks that shape rules share. Each throws ShapeError with the op's name and the shapes found.
import { ShapeError } from "../../base/errors.ts";
import { type Shape, type Size, sameShape, sameSize, showShape } from "../shape.ts";
import { type ElementType, STATE_BLOCK_COLUMNS, type StateType, type Tensor, isQuantized } from "../tensor.ts";

/** [rows, columns] of a rank-2 tensor whose columns are a number. */
export function matrix(op: string, name: string, tensor: Tensor): [Size, number] {
  const [rows, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || typeof columns !== "number") {
    throw new ShapeError(`${op}: ${name}`, showShape(tensor.shape), "[rows, columns] with a fixed column count");
  }
  return [rows, columns];
}

/** The length of a rank-1 tensor. */
export function vector(op: string, name: string, tensor: Tensor): Size {
  if (tensor.shape.length !== 1) throw new ShapeError(`${op}: ${name}`, showShape(tensor.shape), "[length]");
  return tensor.shape[0];
}

export function expectShape(op: string, name: string, tensor: Tensor, shape: Shape): void {
  if (!sameShape(tensor.shape, shape)) {
    throw new ShapeError(`${op}: ${name}`, showShape(tensor.shape), showShape(shape));
  }
}

export function expectSize(op: string, name: string, found: Size, expected: Size): void {
  if (!sameSize(found, expected)) throw new ShapeError(`${op}: ${name}`, showShape([found]), showShape([expected]));
}

export function expectType(op: string, name: string, tensor: Tensor, type: ElementType): void {
  if (tensor.type !== type) throw new ShapeError(`${op}: ${name}`, tensor.type, type);
}

/** `value` is a positive multiple of `by`. */
export function expectDivisible(op: string, name: string, value: number, by: number): void {
  if (!(by > 0) || !(value > 0) || value % by !== 0)
    throw new ShapeError(`${op}: ${name}`, value, `a multiple of ${by}`);
}

/** `columns` are whole blocks of `type`. */
export function expectBlocks(op: string, name: string, columns: number, type: StateType): void {
  if (!isQuantized(type) || columns % STATE_BLOCK_COLUMNS === 0) return;
  throw new ShapeError(`${op}: ${name} of ${type}`, columns, `a multiple of ${STATE_BLOCK_COLUMNS}`);
}

export function expectPositive(op: string, name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) throw new ShapeError(`${op}: ${name}`, value, "a positive number");
}
