// Element-wise ops: one input (`unary`), or two of one shape (`binary`), or a constant factor (`scale`).
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType } from "./checks.ts";

/** Each as a scalar function; executors have a kernel for each, the reference evaluates these. */
export const unaryFunctions = {
  silu: (x: number) => x / (1 + Math.exp(-x)),
  /** Tanh form of gelu ("gelu_new", "gelu_pytorch_tanh"). */
  geluTanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  tanh: Math.tanh,
} as const;
export type UnaryName = keyof typeof unaryFunctions;

export const binaryFunctions = {
  add: (a: number, b: number) => a + b,
  multiply: (a: number, b: number) => a * b,
} as const;
export type BinaryName = keyof typeof binaryFunctions;

export const unaryOp: Op<{ readonly kind: UnaryName }> = {
  name: "unary",
  result: "fresh",
  infer([x]) {
    expectType("unary", "x", x, "f32");
    return { shape: x.shape, type: "f32" };
  },
};

export const binaryOp: Op<{ readonly kind: BinaryName }> = {
  name: "binary",
  result: "fresh",
  infer([a, b], { kind }) {
    expectType(kind, "a", a, "f32");
    expectType(kind, "b", b, "f32");
    expectShape(kind, "b", b, a.shape);
    return { shape: a.shape, type: "f32" };
  },
};

export const scaleOp: Op<{ readonly factor: number }> = {
  name: "scale",
  result: "fresh",
  infer([x]) {
    expectType("scale", "x", x, "f32");
    return { shape: x.shape, type: "f32" };
  },
};

export const silu = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "silu" });
export const geluTanh = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "geluTanh" });
export const tanh = (x: Tensor): Tensor => apply(unaryOp, [x], { kind: "tanh" });
export const add = (a: Tensor, b: Tensor): Tensor => apply(binaryOp, [a, b], { kind: "add" });
export const multiply = (a: Tensor, b: Tensor): Tensor => apply(binaryOp, [a, b], { kind: "multiply" });
/** x times a constant. */
export const scale = (x: Tensor, factor: number): Tensor => apply(scaleOp, [x], { factor });
