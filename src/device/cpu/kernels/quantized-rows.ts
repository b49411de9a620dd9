// A cache's quantized numbers, those of Q8_0 and Q4_0: 32 columns of a head share an f16 scale d; a number is d times its
// code, a signed byte, or a nibble less 8, of which a byte has columns i and i + 16. A row is its scales, then its codes in
// words of 4 bytes. A block of 16 keys is the same the other way round: for each 32 columns the scales of the 16 keys, then
// for each word the words of the 16 keys, where a byte of Q8_0 is its code and 128: as byte products take it. Not here:
// where rows and blocks lie (key-blocks.ts), who reads them (cache-reader.ts).
import { type QuantizedType, STATE_BLOCK_COLUMNS } from "../../../graph/index.ts";
import { type Float, type Floats, type Int, type Ints, type KernelBuilder, loadF16 } from "../../../lanes/index.ts";
import { F16_MOST } from "../../../numeric/f16.ts";
import { BLOCK_KEYS, storeCachedF16 } from "./key-blocks.ts";
import { FLOAT_BYTES, LINE_BYTES, laneNumbers } from "./loops.ts";

const HALF_BYTES = 2;
const WORD_BYTES = 4;
/** Bytes of the scales of 16 keys, and of a word of each. */
const KEY_SCALES_BYTES = BLOCK_KEYS * HALF_BYTES;
export const KEY_WORDS_BYTES = BLOCK_KEYS * WORD_BYTES;
/** Words of the codes of 32 columns. */
export const codeWords: Readonly<Record<QuantizedType, number>> = { q8_0: 8, q4_0: 4 };
const codeBytes = (type: QuantizedType): number => codeWords[type] * WORD_BYTES;
/** The bytes of a word of Q8_0, 128 more. */
const FLIPPED = 0x80808080 | 0;
/** The code that the number of largest magnitude gets. */
const EXTREME_CODE = { q8_0: 127, q4_0: -8 } as const;

const blocksOf = (headSize: number): number => headSize / STATE_BLOCK_COLUMNS;

/** Where a block of keys has scales and words of the 32 columns from 32 * `columns` on. */
export const keyScales = (block: Int, columns: Int): Int => block.add(columns.mul(KEY_SCALES_BYTES));
export const keyWords = (block: Int, columns: Int, type: QuantizedType, headSize: number): Int =>
  block.add(columns.mul(codeWords[type] * KEY_WORDS_BYTES)).add(blocksOf(headSize) * KEY_SCALES_BYTES);

/** A head in scratch: f16 scales and codes, as a row has them. */
interface QuantizedHead {
  readonly scales: Int;
  readonly codes: Int;
}

/** Codes begin where the register ends that is stored with the last scale. */
const codesAt = (headSize: number): number => blocksOf(headSize) * HALF_BYTES + LINE_BYTES;
export const quantizedHeadBytes = (headSize: number): number => codesAt(headSize) + headSize;

/** Rounds the head of f32 at `from` to `to`, as `numeric` encodes it; numbers out of range first become the largest in it. */
export function quantizeHead(
  k: KernelBuilder,
  type: QuantizedType,
  headSize: number,
  from: Int,
  to: Int,
): QuantizedHead {
  const codes = to.add(codesAt(headSize));
  const most = Math.abs(EXTREME_CODE[type]) * F16_MOST;
  const numbers = laneNumbers(k);
  k.range(0, blocksOf(headSize), 1, (block) => {
    const at = from.add(block.mul(STATE_BLOCK_COLUMNS * FLOAT_BYTES));
    const values = Array.from({ length: STATE_BLOCK_COLUMNS / k.lanes }, (_, n) =>
      at
        .loadFloats(n * k.lanes * FLOAT_BYTES)
        .min(most)
        .max(-most),
    );
    const extreme = extremeOf(k, values, numbers, type === "q4_0" ? at : undefined);
    const d = extreme.div(k.float(EXTREME_CODE[type]));
    const isZero = extreme.less(k.float(0)).or(k.float(0).less(extreme)).equals(0);
    const inverse = isZero.selectFloat(k.float(0), k.float(1).div(d)).splat();
    const scaled = values.map((value) => value.mul(inverse));
    for (const [n, bytes] of codesOf(type, scaled).entries()) {
      codes.add(block.mul(codeBytes(type))).storeBytes(bytes, n * k.lanes);
    }
    // where one number is NaN so is the sum, which the extreme may not be
    const nothing = values.map((value) => value.mul(0)).reduce((a, b) => a.add(b));
    storeCachedF16(k, to.add(block.mul(HALF_BYTES)), d.add(nothing.sum()).splat());
  });
  return { scales: to, codes };
}

/** The largest magnitude; with `at`, where the values are, the sign too of the first that has it. */
function extremeOf(k: KernelBuilder, values: readonly Floats[], numbers: Floats, at?: Int): Float {
  const sizes = values.map((value) => value.abs());
  const most = sizes.reduce((a, b) => a.max(b)).maximum();
  if (at === undefined) return most;
  let place = k.floats(values.length * k.lanes - 1);
  for (const [n, size] of [...sizes.entries()].reverse()) {
    place = size.less(most.splat()).selectFloats(place, numbers.add(n * k.lanes));
  }
  const first = k.float(0).sub(place.neg().maximum()).toInt();
  const isBelow = at.add(first.shl(2)).loadFloat().less(k.float(0));
  return isBelow.selectFloat(k.float(0).sub(most), most);
}

/** Registers of bytes of 32 codes. */
function codesOf(type: QuantizedType, scaled: readonly Floats[]): Ints[] {
  if (type === "q8_0") return scaled.map(roundAway);
  const nibbles = scaled.map((value) => value.add(8.5).max(0).min(15).toInts());
  const half = nibbles.length / 2;
  return nibbles.slice(0, half).map((low, n) => low.or(nibbles[half + n].shl(4)));
}

/** To the nearest integer, ties away from zero. */
function roundAway(x: Floats): Ints {
  const whole = x.toInts();
  const rest = x.sub(whole.toFloats());
  // masks are -1
  return whole.add(rest.less(0.5)).sub(rest.neg().less(0.5));
}

/** Stores a head as a row. */
export function storeRow(k: KernelBuilder, type: QuantizedType, headSize: number, head: QuantizedHead, to: Int): void {
  const blocks = blocksOf(headSize);
  for (let i = 0; i < blocks; i++) to.storeHalf(head.scales.loadHalf(i * HALF_BYTES), i * HALF_BYTES);
  const codes = to.add(blocks * HALF_BYTES);
  k.range(0, blocks * codeBytes(type), WORD_BYTES, (i) => codes.add(i).store(head.codes.add(i).loadInt()));
}

/** Stores a head as key `key` of a block. */
export function storeKey(
  k: KernelBuilder,
  type: QuantizedType,
  headSize: number,
  { scales, codes }: QuantizedHead,
  block: Int,
  key: Int,
): void {
  k.range(0, blocksOf(headSize), 1, (columns) => {
    keyScales(block, columns)
      .add(key.shl(1))
      .storeHalf(scales.add(columns.shl(1)).loadHalf());
    const from = codes.add(columns.mul(codeBytes(type)));
    const to = keyWords(block, columns, type, headSize).add(key.shl(2));
    for (let word = 0; word < codeWords[type]; word++) {
      const bytes = from.loadInt(word * WORD_BYTES);
      to.store(type === "q8_0" ? bytes.xor(FLIPPED) : bytes, word * KEY_WORDS_BYTES);
    }
  });
}

/** A row at `from` as f32 at `to`; `scales` is room for its scales as f32, and a register's more. */
export function loadRow(
  k: KernelBuilder,
  type: QuantizedType,
  headSize: number,
  from: Int,
  to: Int,
  scales: Int,
): void {
  const blocks = blocksOf(headSize);
  for (let i = 0; i < blocks; i += k.lanes) scales.store(loadF16(from, i * HALF_BYTES), i * FLOAT_BYTES);
  const codes = from.add(blocks * HALF_BYTES);
  k.range(0, blocks, 1, (block) => {
    const d = scales.add(block.shl(2)).splatFloats();
    const source = codes.add(block.mul(codeBytes(type)));
    const target = to.add(block.mul(STATE_BLOCK_COLUMNS * FLOAT_BYTES));
    for (let i = 0; i < codeBytes(type); i += k.lanes) {
      const store = (code: Ints, column: number): void => target.store(code.toFloats().mul(d), column * FLOAT_BYTES);
      if (type === "q8_0") store(source.loadSignedBytes(i), i);
      else {
        const bytes = source.loadBytes(i);
        store(bytes.and(15).sub(8), i);
        store(bytes.shr(4).sub(8), i + STATE_BLOCK_COLUMNS / 2);
      }
    }
  });
}

/** A block of 16 keys at `from` as f32 (D, 16) at `to`. */
export function loadKeys(k: KernelBuilder, type: QuantizedType, headSize: number, from: Int, to: Int): void {
  const columnBytes = BLOCK_KEYS * FLOAT_BYTES;
  k.range(0, blocksOf(headSize), 1, (columns) => {
    const scales = keyScales(from, columns);
    const words = keyWords(from, columns, type, headSize);
    const target = to.add(columns.mul(STATE_BLOCK_COLUMNS * columnBytes));
    for (let key = 0; key < BLOCK_KEYS; key += k.lanes) {
      const d = loadF16(scales, key * HALF_BYTES);
      k.range(0, codeWords[type], 1, (word) => {
        const bytes = words.add(word.mul(KEY_WORDS_BYTES)).loadInts(key * WORD_BYTES);
        const first = target.add(word.mul(WORD_BYTES * columnBytes));
        for (const [column, code] of codesOfWord(type, bytes)) {
          first.store(code.toFloats().mul(d), column * columnBytes + key * FLOAT_BYTES);
        }
      });
    }
  });
}

/** The codes of a word of each key, and how far their columns are from four times the word's number. */
function codesOfWord(type: QuantizedType, bytes: Ints): (readonly [column: number, code: Ints])[] {
  const four = [0, 1, 2, 3];
  if (type === "q8_0") {
    const signed = bytes.xor(FLIPPED);
    return four.map((i) => [i, signed.shl(24 - 8 * i).shrSigned(24)] as const);
  }
  const nibble = (bits: number): Ints => bytes.shr(bits).and(15).sub(8);
  return four.flatMap((i) => [[i, nibble(8 * i)] as const, [STATE_BLOCK_COLUMNS / 2 + i, nibble(8 * i + 4)] as const]);
}
