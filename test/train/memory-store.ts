// A token store in memory, for tests.
import type { TokenStore } from "../../src/train/data/token-store.ts";

/** Documents of ids; `spans`: those that are learnt, default all but the first. */
export function testStore(
  documents: readonly { readonly ids: readonly number[]; readonly spans?: readonly (readonly [number, number])[] }[],
): TokenStore {
  const spans = documents.map(({ ids, spans = [[1, ids.length]] }) => spans);
  const ends = (counts: readonly number[]): number[] => {
    let end = 0;
    return [0, ...counts.map((count) => (end += count))];
  };
  const starts = Float64Array.from(ends(documents.map(({ ids }) => ids.length)));
  return {
    path: "memory",
    vocabularySize: 1000,
    tokens: starts.at(-1)!,
    starts,
    firstSpans: Uint32Array.from(ends(spans.map(({ length }) => length))),
    spans: Uint32Array.from(spans.flat(2)),
    sources: new Uint32Array(documents.length),
    ids: Uint16Array.from(documents.flatMap(({ ids }) => ids)),
    close: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}
