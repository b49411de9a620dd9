// Reads the golden tensors of this suite: safetensors files that we wrote ourselves, whole, as plain number arrays.
import { readFileSync } from "node:fs";

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

interface Entry {
  readonly dtype: "F32" | "I32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Tensors by name; a vector has one row. */
export function readGolden(path: string | URL): {
  tensors: Record<string, GoldenTensor>;
  metadata: Record<string, string>;
} {
  const bytes = readFileSync(path);
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, dataStart)) as Record<string, Entry>;
  const { __metadata__: metadata, ...entries } = header;
  const tensors = Object.entries(entries).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const data = bytes.buffer.slice(bytes.byteOffset + dataStart + from, bytes.byteOffset + dataStart + to);
      const values = Array.from(dtype === "F32" ? new Float32Array(data) : new Int32Array(data));
      const columns = shape[shape.length - 1];
      const rows = Array.from({ length: values.length / columns }, (_, i) =>
        values.slice(i * columns, (i + 1) * columns),
      );
      return [name, { shape, rows }] as const;
    },
  );
  return { tensors: Object.fromEntries(tensors), metadata: (metadata ?? {}) as unknown as Record<string, string> };
}
