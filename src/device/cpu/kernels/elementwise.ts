// Element by element: one kernel for each function. `out` may be the same place as an input. A part is a share of the
// chunks of 1024 elements.
import {
  type Floats,
  type Kernel,
  type KernelBuilder,
  defineKernel,
  exp,
  sigmoid,
  tanh,
} from "../../../lanes/index.ts";
import type { ActivationName, BinaryName } from "../../../graph/index.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";

/** Elements of a chunk; parts are made of whole ones. */
export const CHUNK = 1024;

const SQRT_2_PI = Math.sqrt(2 / Math.PI);

/** Functions of one number that a product can end in. */
export const unary: Readonly<Record<ActivationName, (x: Floats, k: KernelBuilder) => Floats>> = {
  silu: (x) => x.div(exp(x.neg()).add(1)),
  // 0.5 x (1 + tanh u) is x / (1 + e^-2u)
  geluTanh: (x, k) =>
    x.mul(
      sigmoid(
        x
          .mul(x)
          .mul(x)
          .madd(0.044715, x)
          .mul(2 * SQRT_2_PI),
        k,
      ),
    ),
  tanh,
};

const binary: Readonly<Record<BinaryName, (a: Floats, b: Floats) => Floats>> = {
  add: (a, b) => a.add(b),
  subtract: (a, b) => a.sub(b),
  multiply: (a, b) => a.mul(b),
  divide: (a, b) => a.div(b),
  maximum: (a, b) => a.max(b),
  minimum: (a, b) => a.min(b),
};

type Body = (k: KernelBuilder, a: Floats, b: Floats) => Floats;

function elementwise(name: string, body: Body): Kernel<"a" | "b" | "out" | "count"> {
  return defineKernel(name, ["a", "b", "out", "count"], (k, { a, b, out, count }) => {
    k.share(count.add(CHUNK - 1).div(CHUNK), (first, end) => {
      mapFloats(k, first.mul(CHUNK), end.mul(CHUNK).min(count), out, (i) => {
        const at = i.mul(FLOAT_BYTES);
        return body(k, a.add(at).loadFloats(), b.add(at).loadFloats());
      });
    });
  });
}

const mapKernels = <N extends string>(
  names: Record<N, unknown>,
  make: (name: N) => Kernel<"a" | "b" | "out" | "count">,
) =>
  Object.fromEntries((Object.keys(names) as N[]).map((name) => [name, make(name)])) as Record<
    N,
    ReturnType<typeof make>
  >;

/** out = f(a). */
export const unaryKernels = mapKernels(unary, (name) => elementwise(name, (k, a) => unary[name](a, k)));
/** out = a op b. */
export const binaryKernels = mapKernels(binary, (name) => elementwise(name, (_, a, b) => binary[name](a, b)));
/** out = f(a) * b: the gate of a gated feed-forward layer. */
export const gateKernels = mapKernels(unary, (name) =>
  elementwise(`${name}.multiply`, (k, a, b) => unary[name](a, k).mul(b)),
);

/** out = a * factor, whose f32 bits are a word of the record. */
export const scaleKernel = defineKernel("scale", ["a", "factor", "out", "count"], (k, { a, factor, out, count }) => {
  const by = factor.asFloat().splat();
  k.share(count.add(CHUNK - 1).div(CHUNK), (first, end) => {
    mapFloats(k, first.mul(CHUNK), end.mul(CHUNK).min(count), out, (i) =>
      a.add(i.mul(FLOAT_BYTES)).loadFloats().mul(by),
    );
  });
});
