// y = x Wᵀ + b with activations rounded to int8 blocks and quantized weights, decode class: weights stream through once,
// byte products are summed exactly in integers, scales are applied once per 32 columns. A part is a share of the groups
// of 16 outputs; every row is computed alone.
import { type Floats, type Int, type Ints, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, groupBlockBytes } from "../packed-layouts.ts";
import { type Block, NIBBLE, QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";

/** Products that are summed side by side: a sum of its own for every other one, so that none waits for the last. */
const CHAINS = 2;

function linear(name: QuantizedName): LinearKernel {
  const format = quantizedFormats[name];
  const xBytes = (format.columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES;
  return defineKernel(`linear.${name}.int8`, linearWords, (k, w) => {
    const blocks = w.columns.div(format.columns);
    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const weight = w.weight.add(group.mul(blocks).mul(groupBlockBytes(name)));
        k.range(0, w.rows, 1, (row) => {
          const x = w.x.add(row.mul(blocks).mul(xBytes));
          const sums = k.variables(GROUP_ROWS / k.lanes, k.floats(0));
          k.range(0, blocks, 1, (block) => {
            const at = weight.add(block.mul(groupBlockBytes(name)));
            for (const [n, sum] of sums.entries()) {
              const opened = format.open(k, at.add(n * k.lanes * FLOAT_BYTES));
              sum.value = addBlock(k, format, opened, x.add(block.mul(xBytes)), sum.value);
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

/** `sum` and the products of one block with its activations. */
function addBlock(k: KernelBuilder, format: QuantizedFormat, block: Block, x: Int, sum: Floats): Floats {
  let scaled = k.floats(0); // sum of products times scales
  let lowered = k.floats(0); // sum of mins times activations
  for (let part = 0; part < format.columns / ACTIVATION_COLUMNS; part++) {
    const at = part * ACTIVATION_BYTES;
    const products = multiplyPart(k, format, block, x, part);
    scaled = products.toFloats().madd(x.splatFloats(at + Activation.d), scaled);
    if (block.lower === undefined) continue;
    const mins = block.lower.min(part).toFloats();
    lowered = mins.madd(x.splatFloats(at + Activation.total), lowered);
  }
  let result = block.d().madd(scaled, sum);
  if (block.lower !== undefined) result = block.lower.factor().neg().madd(lowered, result);
  if (block.plus !== undefined) result = block.plus().madd(x.splatFloats(Activation.total), result);
  return result;
}

/** Integer products of 32 columns, times the sub-blocks' integer scales. */
function multiplyPart(k: KernelBuilder, format: QuantizedFormat, block: Block, x: Int, part: number): Ints {
  const at = part * ACTIVATION_BYTES;
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  const quads = format.subColumns / QUAD;
  const results = Array.from({ length: subs }, (_, sub) => {
    const sumAt = subs === 1 ? Activation.sum : Activation.sumHalf + 4 * sub;
    const start = format.zero === 0 ? k.ints(0) : x.splatInts(at + sumAt).mul(-format.zero);
    // by chain, of bytes as they are and of bytes that are 16 times too big
    const plain: Ints[] = [start];
    const shifted: Ints[] = [];
    for (let t = 0; t < quads; t++) {
      const quad = (part * subs + sub) * quads + t;
      const bytes = x.splatInts(at + Activation.bytes + (sub * quads + t) * QUAD);
      const isShifted = block.shift(quad) > 0;
      const chains = isShifted ? shifted : plain;
      const chain = t % CHAINS;
      chains[chain] = (chains[chain] ?? k.ints(0)).dotBytes(bytes, block.quad(quad), isShifted ? 8 : format.bits);
    }
    const add = (sums: readonly Ints[]): Ints => sums.reduce((a, b) => a.add(b));
    const product = shifted.length === 0 ? add(plain) : add([...plain, add(shifted).shrSigned(NIBBLE)]);
    return block.scale === undefined ? product : product.mul(block.scale(part * subs + sub));
  });
  return results.reduce((a, b) => a.add(b)); // 32 columns are one or two sub-blocks
}

export const int8Kernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, linear(name)]),
) as Record<QuantizedName, LinearKernel>;
