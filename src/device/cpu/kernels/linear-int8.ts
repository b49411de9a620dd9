// y = x Wᵀ + b with activations rounded to int8 blocks and quantized weights, decode class: weights stream through once,
// byte products are summed exactly in integers, scales are applied once per 32 columns. A part is a share of the groups
// of 16 outputs; every row is computed alone.
import { type Floats, type Int, type Ints, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, groupBlockBytes } from "../packed-layouts.ts";
import { type Block, NIBBLE, QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";

/** Registers of weights that share the loads of activations: more would not stay in machine registers. */
const TOGETHER = 4;

function linear(name: QuantizedName): LinearKernel {
  const format = quantizedFormats[name];
  const xBytes = (format.columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES;
  return defineKernel(`linear.${name}.int8`, linearWords, (k, w) => {
    const registers = GROUP_ROWS / k.lanes;
    const blocks = w.columns.div(format.columns);
    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const weight = w.weight.add(group.mul(blocks).mul(groupBlockBytes(name)));
        k.range(0, w.rows, 1, (row) => {
          const x = w.x.add(row.mul(blocks).mul(xBytes));
          const sums = k.variables(registers, k.floats(0));
          k.range(0, blocks, 1, (block) => {
            const at = weight.add(block.mul(groupBlockBytes(name)));
            for (let from = 0; from < registers; from += TOGETHER) {
              const some = sums.slice(from, from + TOGETHER);
              const opened = some.map((_, n) => format.open(k, at.add((from + n) * k.lanes * 4)));
              const added = multiplyBlock(k, format, opened, x.add(block.mul(xBytes)));
              for (const [n, sum] of some.entries()) sum.value = added[n](sum.value);
            }
          });
          for (const [n, sum] of sums.entries()) {
            storeOutputs(k, w, row, group.mul(GROUP_ROWS).add(n * k.lanes), sum.value);
          }
        });
      });
    });
  });
}

/** Products of one block with its activations, for several registers: for each, what adds them to a sum. */
function multiplyBlock(
  k: KernelBuilder,
  format: QuantizedFormat,
  blocks: readonly Block[],
  x: Int,
): ((sum: Floats) => Floats)[] {
  const scaled = blocks.map(() => k.floats(0)); // sum of products times scales
  const lowered = blocks.map(() => k.floats(0)); // sum of mins times activations
  for (let part = 0; part < format.columns / ACTIVATION_COLUMNS; part++) {
    const at = part * ACTIVATION_BYTES;
    const d = x.splatFloats(at + Activation.d);
    const products = multiplySubBlocks(k, format, blocks, x, part);
    for (const [n, product] of products.entries()) scaled[n] = product.toFloats().madd(d, scaled[n]);
    for (const [n, { lower }] of blocks.entries()) {
      if (lower === undefined) continue;
      lowered[n] = lower
        .min(part)
        .toFloats()
        .madd(x.splatFloats(at + Activation.total), lowered[n]);
    }
  }
  return blocks.map((block, n) => (sum) => {
    let result = block.d().madd(scaled[n], sum);
    if (block.lower !== undefined) result = block.lower.factor().neg().madd(lowered[n], result);
    if (block.plus !== undefined) result = block.plus().madd(x.splatFloats(Activation.total), result);
    return result;
  });
}

/** Integer products of 32 columns, times the sub-blocks' integer scales. */
function multiplySubBlocks(
  k: KernelBuilder,
  format: QuantizedFormat,
  blocks: readonly Block[],
  x: Int,
  part: number,
): Ints[] {
  const at = part * ACTIVATION_BYTES;
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  const quads = format.subColumns / QUAD;
  const results: Ints[] = [];
  for (let sub = 0; sub < subs; sub++) {
    const firstQuad = (part * ACTIVATION_COLUMNS) / QUAD + sub * quads;
    const sumAt = subs === 1 ? Activation.sum : Activation.sumHalf + 4 * sub;
    const start = format.zero === 0 ? k.ints(0) : x.splatInts(at + sumAt).mul(-format.zero);
    const products = blocks.map(() => start);
    const shifted = blocks.map((): Ints | undefined => undefined); // products of bytes that are 16 times too big
    for (let t = 0; t < quads; t++) {
      const bytes = x.splatInts(at + Activation.bytes + (sub * quads + t) * QUAD);
      for (const [n, block] of blocks.entries()) {
        const quad = block.quad(firstQuad + t);
        if (block.shift(firstQuad + t) === 0) products[n] = products[n].dotBytes(bytes, quad, format.bits);
        else shifted[n] = (shifted[n] ?? k.ints(0)).dotBytes(bytes, quad, 8);
      }
    }
    for (const [n, block] of blocks.entries()) {
      const product = shifted[n] === undefined ? products[n] : products[n].add(shifted[n].shrSigned(NIBBLE));
      const scaled = block.scale === undefined ? product : product.mul(block.scale(part * subs + sub));
      results[n] = sub === 0 ? scaled : results[n].add(scaled);
    }
  }
  return results;
}

export const int8Kernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, linear(name)]),
) as Record<QuantizedName, LinearKernel>;
