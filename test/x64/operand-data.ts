// Bytes for registers and memory that provoke: special numbers of every kind, cancelling sums, full range integers.

const specials = [
  0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f812345, 0xff800001, 0x00000001,
  0x807fffff, 0x00800000, 0x7f7fffff, 0x3f800000, 0xbf800000, 0x4f000000, 0xcf000000, 0xcf000001, 0x4effffff,
  0x3f000000, 0x3fc00000, 0x477fe000, 0x477ff000, 0x33800000, 0x33000000, 0x387fc000, 0x5f000000, 0xdf000000,
  0x00400000, 0x80000fff, 0x3f7fffff, 0x7fffffff, 0xffffffff, 0x80008000, 0x7fff7fff, 0x80ff7f01, 0x3f808000,
  0x3f818000, 0x00010000, 0x7c017c00, 0x83ff0400,
];

/** Deterministic random words (xorshift32). */
export function randomWords(seed: number): () => number {
  let state = (seed * 2654435761 + 88172645) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const float = new Float32Array(1);
const floatWord = new Uint32Array(float.buffer);
const bitsOf = (x: number): number => ((float[0] = x), floatWord[0]);
const valueOf = (bits: number): number => ((floatWord[0] = bits), float[0]);

function word(random: () => number): number {
  switch (random() % 6) {
    case 0:
      return random();
    case 1:
      return specials[random() % specials.length];
    case 2:
      return bitsOf((random() / 2 ** 32 - 0.5) * 2 ** (random() % 8));
    case 3:
      return random() % 64;
    case 4:
      return (random() & 0x7fff7fff) | (random() & 0x80008000); // pairs of f16 or words
    default:
      return (random() & 0x8fffffff) | 0x38000000; // floats near one, of all fractions
  }
}

/** Fills vectors of 16 words; in a third of the lanes one of the first three is the negated product of the other two. */
export function fillOperands(bytes: Uint8Array, seed: number): void {
  const random = randomWords(seed);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  for (let i = 0; i < words.length; i++) words[i] = word(random);
  const lanes = 16;
  for (let i = 0; i + 3 * lanes <= words.length; i = (i + 1) % lanes === 0 ? i + 2 * lanes + 1 : i + 1) {
    if (random() % 3 !== 0) continue;
    const order = [0, 1, 2].map((n) => i + lanes * ((n + (random() % 3)) % 3));
    if (new Set(order).size < 3) continue;
    words[order[2]] = bitsOf(-valueOf(words[order[0]]) * valueOf(words[order[1]]));
  }
}
