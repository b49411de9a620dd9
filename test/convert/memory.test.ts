// A conversion holds a few pieces of one weight, however large it is: what is read and written at once, over tensors that
// are larger than any memory (and that nobody stores).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { valuesAs } from "../../src/convert/values.ts";
import { openFileStore } from "../../src/engine/file-store.ts";
import type { ParameterSource } from "../../src/models/index.ts";
import { interleavedRow } from "../../src/models/loading.ts";
import type { FormatName } from "../../src/numeric/registry.ts";

/** Of values as f32; a piece as stored, decoded and encoded again is held at a time. */
const PIECE_BYTES = 8 * 2 ** 20;
const [ROWS, COLUMNS] = [2 ** 24, 2 ** 13];
const whole = { tensor: "w", first: 0, count: ROWS };
const plain: ParameterSource = { vector: false, rows: ROWS, columns: COLUMNS, pieces: [whole] };

const sources: Readonly<Record<string, ParameterSource>> = {
  "rows as they lie": plain,
  "heads' rows in another order": { ...plain, rowAt: (i) => interleavedRow(i, 128) },
  "a matrix that is transposed": { ...plain, transpose: true },
  "one expert of many": { ...plain, rows: 2 ** 14, pieces: [{ tensor: "w", first: 2 ** 20, count: 2 ** 14 }] },
};

describe("a conversion's memory", () => {
  for (const [what, source] of Object.entries(sources)) {
    for (const format of ["bf16", "f32"] as const satisfies FormatName[]) {
      test(`is bounded for ${what}, written as ${format}`, async () => {
        let most = 0;
        const shape = source.transpose === true ? [COLUMNS, ROWS] : [ROWS, COLUMNS];
        const tensor = { name: "w", shape, format: "bf16", typeName: "bf16", byteLength: undefined } as const;
        const files = {
          file: "virtual",
          kind: "hf",
          config: {},
          tensors: new Map([["w", tensor]]),
          read: async (_name: string, _offset: number, into: Uint8Array) => {
            most = Math.max(most, into.byteLength);
          },
        } as const;
        const store = openFileStore(files, { parameters: new Map([["w", source]]) });
        const plan = { name: "w", shape: [source.rows, COLUMNS], source, alwaysF32: false };
        for await (const bytes of valuesAs(store, plan, format)) {
          most = Math.max(most, bytes.byteLength);
          break; // the others are as long
        }
        assert.ok(most > 0 && most <= PIECE_BYTES, `${most} bytes at once`);
      });
    }
  }
});
