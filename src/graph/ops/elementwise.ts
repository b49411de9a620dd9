// Element-wise ops: one input (`unary`), two of one shape (`binary`), a constant factor (`scale`), and constants. The
// functions beside them take numbers too, and repeat an operand that is [1], a row (C) or a column (N, 1) of the other.
import { normalCdf as scalarNormalCdf } from "../../base/normal.ts";
import { type Shape, sameShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType } from "./checks.ts";
import { broadcast } from "./sums.ts";

/** What families put after a product: executors compute these along with it. */
export const activationFunctions = {
  silu: (x: number) => x / (1 + Math.exp(-x)),
  /** x Φ(x), Φ of the normal distribution (Hendrycks & Gimpel 2016). */
  gelu: (x: number) => x * scalarNormalCdf(x),
  /** Tanh form of gelu ("gelu_new", "gelu_pytorch_tanh"). */
  geluTanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  tanh: Math.tanh,
} as const;
export type ActivationName = keyof typeof activationFunctions;

/** Each as a scalar function; the reference evaluates these. */
export const unaryFunctions = {
  ...activationFunctions,
  exp: Math.exp,
  /** Natural. */
  log: Math.log,
  sqrt: Math.sqrt,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  /** Φ(x): the probability of a smaller normal number. */
  normalCdf: scalarNormalCdf,
  /** log(sigmoid(x)), which overflows nowhere. */
  logSigmoid: (x: number) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  /** 1 where x > 0, else 0. */
  step: (x: number) => (x > 0 ? 1 : 0),
} as const;
export type UnaryName = keyof typeof unaryFunctions;

export const binaryFunctions = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
  maximum: Math.max,
  minimum: Math.min,
} as const;
export type BinaryName = keyof typeof binaryFunctions;

/** dy/dx of each, from x and y. */
const derivatives: Readonly<Record<UnaryName, (x: Tensor, y: Tensor) => Tensor>> = {
  silu: (x) => gateDerivative(x, sigmoid(x), constant(1)),
  gelu: (x) => add(normalCdf(x), multiply(x, normalSlope(x))),
  // 0.5 (1 + tanh u) is sigmoid(2u), u = sqrt(2/π) (x + 0.044715 x³)
  geluTanh: (x) => {
    const [twice, square] = [2 * Math.sqrt(2 / Math.PI), multiply(x, x)];
    const gate = sigmoid(multiply(x, add(scale(square, 0.044715 * twice), twice)));
    return gateDerivative(x, gate, add(scale(square, 3 * 0.044715 * twice), twice));
  },
  tanh: (_, y) => subtract(1, multiply(y, y)),
  exp: (_, y) => y,
  log: (x) => divide(1, x),
  sqrt: (_, y) => divide(0.5, y),
  sigmoid: (_, y) => multiply(y, subtract(1, y)),
  normalCdf: (x) => normalSlope(x),
  logSigmoid: (x) => sigmoid(scale(x, -1)),
  step: () => constant(0),
};

/** e^(-x²/2) / √(2π). */
const normalSlope = (x: Tensor): Tensor => scale(exp(scale(multiply(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

/** Of x · gate, gate = sigmoid(v): gate + x · gate (1 - gate) dv/dx. The product is not read, so that none need keep it. */
const gateDerivative = (x: Tensor, gate: Tensor, dv: Tensor): Tensor =>
  add(gate, multiply(multiply(multiply(x, gate), subtract(1, gate)), dv));

export const unaryOp: Op<{ readonly kind: UnaryName }> = {
  name: "unary",
  result: "fresh",
  infer([x], { kind }) {
    expectType(kind, "x", x, "f32");
    return { shape: x.shape, type: "f32" };
  },
  gradient: (y, dy, [x], { kind }) => [multiply(dy, derivatives[kind](x, y))],
};

/** d/da and d/db of each times dy. Where the larger or smaller of equals is taken, it is b, or a. */
const binaryGradients: Readonly<
  Record<BinaryName, (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [Tensor, Tensor]>
> = {
  add: (dy) => [dy, dy],
  subtract: (dy) => [dy, scale(dy, -1)],
  multiply: (dy, a, b) => [multiply(dy, b), multiply(dy, a)],
  divide: (dy, _, b, y) => [divide(dy, b), divide(multiply(dy, scale(y, -1)), b)],
  maximum: (dy, a, b) => chosen(dy, step(subtract(a, b))),
  minimum: (dy, a, b) => chosen(dy, subtract(1, step(subtract(a, b)))),
};

/** dy where `first` is 1, and where it is 0. */
const chosen = (dy: Tensor, first: Tensor): [Tensor, Tensor] => [multiply(dy, first), multiply(dy, subtract(1, first))];

export const binaryOp: Op<{ readonly kind: BinaryName }> = {
  name: "binary",
  result: "fresh",
  infer([a, b], { kind }) {
    expectType(kind, "a", a, "f32");
    expectType(kind, "b", b, "f32");
    expectShape(kind, "b", b, a.shape);
    return { shape: a.shape, type: "f32" };
  },
  gradient: (y, dy, [a, b], { kind }) => binaryGradients[kind](dy, a, b, y),
};

export const scaleOp: Op<{ readonly factor: number }> = {
  name: "scale",
  result: "fresh",
  infer([x]) {
    expectType("scale", "x", x, "f32");
    return { shape: x.shape, type: "f32" };
  },
  gradient: (_, dy, __, { factor }) => [scale(dy, factor)],
};

/** One number, [1]; no inputs. */
export const constantOp: Op<{ readonly value: number }> = {
  name: "constant",
  result: "fresh",
  infer: () => ({ shape: [1], type: "f32" }),
  gradient: () => [],
};

/** A tensor, or a number that stands for `constant`. */
export type Operand = Tensor | number;

/** Repeats the operand that is smaller: [1], a row (C) or a column (N, 1) of the other. */
function binary(kind: BinaryName, a: Operand, b: Operand): Tensor {
  const [left, right] = [a, b].map((operand) => (typeof operand === "number" ? constant(operand) : operand));
  const [shape, other] = [left.shape, right.shape];
  if (isPartOf(other, shape)) return apply(binaryOp, [left, broadcast(right, shape)], { kind });
  if (isPartOf(shape, other)) return apply(binaryOp, [broadcast(left, other), right], { kind });
  return apply(binaryOp, [left, right], { kind });
}

const isPartOf = (part: Shape, whole: Shape): boolean =>
  !sameShape(part, whole) && [[1], whole.slice(1), [...whole.slice(0, -1), 1]].some((shape) => sameShape(part, shape));

export const silu = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "silu" });
/** x Φ(x), the exact form. */
export const gelu = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "gelu" });
export const geluTanh = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "geluTanh" });
export const tanh = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "tanh" });
export const exp = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "exp" });
export const log = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "log" });
export const sqrt = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "sqrt" });
export const sigmoid = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "sigmoid" });
/** Φ(x): the probability of a smaller normal number. */
export const normalCdf = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "normalCdf" });
export const logSigmoid = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "logSigmoid" });
/** 1 where x > 0, else 0; its gradient is 0. */
export const step = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "step" });

export const add = (a: Operand, b: Operand): Tensor => binary("add", a, b);
export const subtract = (a: Operand, b: Operand): Tensor => binary("subtract", a, b);
export const multiply = (a: Operand, b: Operand): Tensor => binary("multiply", a, b);
export const divide = (a: Operand, b: Operand): Tensor => binary("divide", a, b);
/** The larger of a and b; of equals the gradient goes to b. */
export const maximum = (a: Operand, b: Operand): Tensor => binary("maximum", a, b);
/** The smaller of a and b; of equals the gradient goes to a. */
export const minimum = (a: Operand, b: Operand): Tensor => binary("minimum", a, b);

/** x times a constant. */
export const scale = (x: Tensor, factor: number): Tensor => apply(scaleOp, [x], { factor });
/** `value`, everywhere in `shape`. */
export const constant = (value: number, shape: Shape = [1]): Tensor => {
  const one = apply(constantOp, [], { value });
  return sameShape(shape, [1]) ? one : broadcast(one, shape);
};

/** max(x, 0); the gradient is 0 at 0. */
export const relu = (x: Tensor): Tensor => maximum(x, 0);
/** -1, 0 or 1; its gradient is 0. */
export const sign = (x: Tensor): Tensor => subtract(step(x), step(scale(x, -1)));
