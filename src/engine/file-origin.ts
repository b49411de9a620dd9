// Where the parameters of opened model files come from, as a text: the files (path, which file of the disk it is, size, times
// of change, hash of the header), all through the handles that weights are read by, and the loading map. It changes
// whenever a parameter's bytes may have, so that what is made of them can be kept; also where only a name or a right of
// the file did, which costs no more than making it anew. Tensor data is not read for it.
import { absolutePath } from "#platform";
import type { ParameterOrigin } from "../device/executor.ts";
import type { TensorSource, WeightFile } from "../format/tensor-source.ts";
import type { ParameterSource } from "../models/index.ts";

/** Undefined where the host cannot tell files from each other. Throws what reading the headers throws. */
export async function originOf(
  { file, kind, weightFiles }: Pick<TensorSource, "file" | "kind" | "weightFiles">,
  parameters: ReadonlyMap<string, ParameterSource>,
): Promise<ParameterOrigin | undefined> {
  if (weightFiles.some(({ source }) => source.state === undefined)) return undefined;
  const files = await Promise.all(weightFiles.map(describeFile));
  const map = [...parameters].map(([name, { pieces, rowAt, ...rest }]) => {
    const places = pieces.map(({ tensor, first, count }) => [tensor, first, count]);
    return {
      name,
      places,
      ...rest,
      order: rowAt === undefined ? 0 : orderOf(rowAt, rest.vector ? rest.columns : rest.rows),
    };
  });
  return {
    // of a split model the first part stands for all
    path: absolutePath(kind === "gguf" ? weightFiles[0].path : file),
    description: JSON.stringify({ files, map }),
    async isUnchanged() {
      const same = weightFiles.map(async ({ source: { state } }) => (await state?.now()) === state?.opened);
      return (await Promise.all(same)).every(Boolean);
    },
  };
}

async function describeFile({ path, headerBytes, source }: WeightFile) {
  const header = new Uint8Array(headerBytes);
  await source.read(0, header);
  const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", header))];
  const hex = hash.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { path: absolutePath(path), opened: source.state?.opened, header: hex };
}

/** A hash of the order that rows are taken in (FNV-1a, 32 bits). */
function orderOf(rowAt: (row: number) => number, rows: number): number {
  let hash = 0x811c9dc5;
  for (let row = 0; row < rows; row++) hash = Math.imul(hash ^ rowAt(row), 0x01000193);
  return hash >>> 0;
}
