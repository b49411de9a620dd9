// Scores of a decoded row over quantized keys by products of bytes: its queries are rounded to int8 blocks, as activations
// are that meet quantized weights, so that no key is brought to f32. Integer sums are exact. Not here: the same in f32
// (attention-range.ts).
import { STATE_BLOCK_COLUMNS, isQuantized } from "../../../graph/index.ts";
import { type Int, type Ints, type KernelBuilder, type Machine, loadF16 } from "../../../lanes/index.ts";
import { type ScoreTask, type ScoreWords, finishedScore, scoreStride } from "./attention-range.ts";
import { type AttentionShape, roundedHeadBytes, slices, sumRegisters } from "./attention-shape.ts";
import { QUAD } from "./blocks.ts";
import { ByteSum, SplatQuad, bytePlanes, keptTogether, sumOfPlanes } from "./byte-sums.ts";
import { type CacheReader, prefetchAhead } from "./cache-reader.ts";
import { BLOCK_KEYS, type CacheShape, blockSlots } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { KEY_WORDS_BYTES, codeWords, keyScales, keyWords } from "./quantized-rows.ts";
import { ACTIVATION_BYTES, Activation } from "./quantize.ts";

/** Codes as unsigned bytes: how much more they are, in powers of two, and the most that they can be. */
const CODES = { q8_0: { zeroBits: 7, bits: 8, most: 255 }, q4_0: { zeroBits: 3, bits: 7, most: 15 } } as const;
const NIBBLES = 0x0f0f0f0f;
const QUADS = STATE_BLOCK_COLUMNS / QUAD;

/** Whether keys lie as byte products take them. */
export const hasByteScores = (shape: CacheShape): boolean =>
  isQuantized(shape.type) && blockSlots(shape) === BLOCK_KEYS;

const planesOf = (machine: Machine, type: keyof typeof CODES) =>
  bytePlanes(machine, { ...CODES[type], subColumns: STATE_BLOCK_COLUMNS });

/** As `scoreKeys`; `q` are the heads of the group as int8 blocks. */
export function scoreBytes(
  k: KernelBuilder,
  w: ScoreWords,
  shape: AttentionShape,
  reader: CacheReader,
  { q, scores, start, end }: ScoreTask,
): void {
  const { headsPerGroup, headSize, type } = shape;
  if (!isQuantized(type)) throw new RangeError(`byte products of keys of ${type}`);
  const { zeroBits } = CODES[type];
  const form = planesOf(k.machine, type);
  const finished = finishedScore(k, w, shape);
  const headSlices = slices(headsPerGroup, Math.floor(sumRegisters(k) / (1 + form.planes.length)));
  k.range(start, end, BLOCK_KEYS, (key) => {
    const block = reader.keysPlace(key.shr(4));
    const to = scores.add(key.sub(start).shl(2));
    for (const heads of headSlices) {
      for (let first = 0; first < BLOCK_KEYS; first += k.lanes) {
        const sums = k.variables(heads.count, k.floats(0));
        k.range(0, headSize / STATE_BLOCK_COLUMNS, 1, (columns) => {
          const scale = loadF16(keyScales(block, columns), first * 2);
          const words = keyWords(block, columns, type, headSize);
          if (first === 0 && heads.first === 0) prefetchAhead(words, codeWords[type] * KEY_WORDS_BYTES);
          const query = q.add(columns.mul(ACTIVATION_BYTES));
          const queryAt = (n: number, field: number): number => (heads.first + n) * roundedHeadBytes(headSize) + field;
          const chains = sums.map((_, n) => {
            const minus = query.splatInts(queryAt(n, Activation.minusSum)).shl(zeroBits);
            return form.planes.map((_, p) => new ByteSum(k, form, p === 0 ? minus : undefined));
          });
          for (const [p, plane] of form.planes.entries()) {
            for (const quads of keptTogether(quadOrder(type), form)) {
              const weights = quads.map((quad) => plane(codesOfQuad(type, words, quad, first)));
              for (const [n, chain] of chains.entries()) {
                for (const [i, quad] of quads.entries()) {
                  const x = new SplatQuad(k, query, queryAt(n, Activation.bytes + quad * QUAD));
                  chain[p].add(x, weights[i], form.bits);
                }
              }
            }
          }
          for (const [n, sum] of sums.entries()) {
            const product = sumOfPlanes(chains[n])
              .toFloats()
              .mul(query.splatFloats(queryAt(n, Activation.d)));
            sum.value = product.madd(scale, sum.value);
          }
        });
        for (const [n, sum] of sums.entries()) {
          to.store(finished(sum.value), (heads.first + n) * scoreStride(shape) + first * FLOAT_BYTES);
        }
      }
    }
  });
}

/** Quads of 32 columns, those of one word side by side. */
const quadOrder = (type: keyof typeof CODES): number[] =>
  Array.from({ length: QUADS }, (_, i) => (type === "q8_0" ? i : (i >> 1) + (i & 1) * (QUADS / 2)));

/** The codes of four columns of a register of keys from `first` on, as unsigned bytes. */
function codesOfQuad(type: keyof typeof CODES, words: Int, quad: number, first: number): Ints {
  const word = words.loadInts((quad % codeWords[type]) * KEY_WORDS_BYTES + first * 4);
  if (type === "q8_0") return word;
  return (quad < codeWords[type] ? word : word.shr(4)).and(NIBBLES);
}
