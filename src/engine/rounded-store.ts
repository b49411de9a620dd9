// A store whose f32 matrices are rounded to bf16 as they are read: half the bytes, and machines with tiles multiply them
// several times as fast.
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import { formats } from "../numeric/registry.ts";

/** Vectors, and matrices in other formats, are as they were. */
export function roundedStore(store: ParameterStore): ParameterStore {
  const isRounded = ({ rows, format }: StoredParameter): boolean => rows > 1 && format === "f32";
  const parameters = new Map(
    [...store.parameters].map(([name, stored]): [string, StoredParameter] => [
      name,
      isRounded(stored) ? { ...stored, format: "bf16", byteLength: stored.byteLength / 2 } : stored,
    ]),
  );
  return {
    parameters,
    async readRows(name, firstRow, into) {
      if (!isRounded(store.parameters.get(name)!)) return await store.readRows(name, firstRow, into);
      const whole = new Uint8Array(2 * into.byteLength);
      await store.readRows(name, firstRow, whole);
      into.set(formats.bf16.encode!(new Float32Array(whole.buffer)));
    },
  };
}
