// Builds a loading map: which rows of which file tensors make each parameter, in the conventions of either kind of file.
// Every tensor of the file is used, or named as ignored with a reason. Not here: reading (engine/file-store.ts).
import { FormatError, UnsupportedError, show } from "../base/errors.ts";
import { expertSource, turnedColumns } from "./expert-rows.ts";
import type { HeadRows, Model, ModelFacts, ParameterSource, WeightRow } from "./model.ts";

/** Tensors that are no weights. */
export interface IgnoredRow {
  readonly name: Pick<RegExp, "test">;
  readonly reason: string;
}

type LoadingMap = Pick<Model, "parameters" | "ignored" | "weightRows">;

/**
 * Resolves rows against a file. Throws FormatError for a tensor that is missing or has another shape, UnsupportedError
 * for tensors that neither table knows.
 */
export function loadingMap(
  facts: ModelFacts,
  family: string,
  rows: readonly WeightRow[],
  ignoredRows: readonly IgnoredRow[],
): LoadingMap {
  const { file, kind, tensors, isNew = false } = facts;
  const parameters = new Map<string, ParameterSource>();
  const used = new Set<string>();
  for (const row of rows) {
    if (row.experts !== undefined) {
      const source = expertSource(facts, row);
      if (source === undefined) continue;
      parameters.set(row.parameter, source);
      for (const { tensor } of source.pieces) used.add(tensor);
      continue;
    }
    const name = row[kind];
    if (name === undefined) continue;
    const tensor = tensors.get(name);
    if (tensor === undefined && row.optional) continue;
    if (tensor === undefined && !isNew) throw new FormatError(file, `tensor ${name}`, "missing", show([...row.shape]));
    const transpose = kind === "hf" && row.hfTransposed === true;
    const [outer] = row.shape;
    const stored = storedShape(row, kind);
    if (tensor !== undefined && show(tensor.shape) !== show(stored)) {
      throw new FormatError(file, `shape of ${name}`, [...tensor.shape], show(stored));
    }
    used.add(name);
    if (kind === "hf" && row.hfTurns !== undefined) {
      parameters.set(row.parameter, turnedColumns(name, row.shape, row.hfTurns));
      continue;
    }
    const vector = row.shape.length === 1;
    const heads = row[`${kind}Heads`];
    const rowAt = heads === undefined ? interleaving(row, kind) : ofHeads(heads);
    parameters.set(row.parameter, {
      vector,
      rows: vector ? 1 : outer,
      columns: row.shape.at(-1) as number,
      pieces: [
        {
          tensor: name,
          first: partOf(row, kind)?.first ?? 0,
          count: heads === undefined ? outer : heads.heads * heads.of,
        },
      ],
      ...(rowAt !== undefined && { rowAt }),
      ...(heads?.transposed === true && { turnedHeads: heads }),
      ...(row.matrices !== undefined && { matrices: row.matrices }),
      ...(transpose && { transpose }),
      ...(kind === "hf" && row.hfAddOne === true && { addOne: true }),
      ...(kind === "hf" && row.hfUnitRows === true && { unitRows: true }),
    });
  }
  const ignored = new Map<string, string>();
  const unknown: string[] = [];
  for (const name of tensors.keys()) {
    if (used.has(name)) continue;
    const reason = ignoredRows.find((row) => row.name.test(name))?.reason;
    if (reason === undefined) unknown.push(name);
    else ignored.set(name, reason);
  }
  if (unknown.length > 0) {
    const some = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", ..." : "");
    throw new UnsupportedError(`${file}: ${unknown.length} tensors are not part of the family ${family}: ${some}.`);
  }
  return { parameters, ignored, weightRows: rows };
}

/** The shape of a row's tensor in a file, outermost size first. */
export function storedShape(row: WeightRow, kind: ModelFacts["kind"]): number[] {
  const { shape, hfTransposed, hfTurns } = row;
  if (kind === "hf" && hfTurns !== undefined) return [shape[0], shape[1] * hfTurns.of];
  const given = row[`${kind}Shape`];
  if (given !== undefined) return [...given];
  const [outer, ...inner] = shape;
  const heads = row[`${kind}Heads`];
  if (heads !== undefined) return [heads.heads * heads.of, heads.transposed ? outer / heads.heads : inner[0]];
  const stored = [partOf(row, kind)?.of ?? outer, ...inner];
  return kind === "hf" && hfTransposed === true ? stored.reverse() : stored;
}

/** Rows (a vector's elements) of the tensor that has a parameter's, and where it has row i. */
export function fileRows(row: WeightRow, kind: ModelFacts["kind"]): { count: number; rowAt: (row: number) => number } {
  const heads = row[`${kind}Heads`];
  const within = heads === undefined ? interleaving(row, kind) : ofHeads(heads);
  const { first, of } = partOf(row, kind) ?? { first: 0, of: row.shape[0] };
  const count = heads === undefined ? of : heads.heads * heads.of;
  return { count, rowAt: (i) => first + (within?.(i) ?? i) };
}

/** Where a tensor of several parameters keeps row i of one; undefined where it is a column. */
function ofHeads({ of, first, count, transposed }: HeadRows): ParameterSource["rowAt"] {
  return transposed ? undefined : (i) => Math.floor(i / count) * of + first + (i % count);
}

function interleaving({ ggufInterleaved, interleaved }: WeightRow, kind: ModelFacts["kind"]): ParameterSource["rowAt"] {
  if (interleaved !== undefined) return (i) => interleavedRow(i, interleaved.headSize, interleaved.rotated);
  return ggufInterleaved === undefined || kind !== "gguf" ? undefined : (i) => interleavedRow(i, ggufInterleaved);
}

/** Where the row's elements lie in its tensor, where that has more. */
export const partOf = ({ part, hfPart }: WeightRow, kind: ModelFacts["kind"]): WeightRow["part"] =>
  kind === "hf" ? (hfPart ?? part) : part;

/** Where row i of q or k lies, where neighbours are rotated: of a head's R first rows pair (j, j + R/2) at (2j, 2j + 1). */
export function interleavedRow(i: number, headSize: number, rotated = headSize): number {
  const inHead = i % headSize;
  if (inHead >= rotated) return i;
  const half = rotated / 2;
  return i - inHead + 2 * (inHead % half) + Math.floor(inHead / half);
}
