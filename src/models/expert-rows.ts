// Weights of experts in files: a tensor for each expert, or one for all, whatever a file has; and which tensors make the
// parameter that holds all experts' rows one after another.
import { FormatError, show } from "../base/errors.ts";
import { formats } from "../numeric/registry.ts";
import type { FileTensor, ModelFacts, ParameterSource, Turns, WeightRow } from "./model.ts";

/** The name of expert `expert`'s tensor. */
export const expertName = (name: string, expert: number): string => name.replace("*", String(expert));
export const isEach = (name: string): boolean => name.includes("*");

/** Rows and columns of one expert's matrix. */
export function expertShape({ shape: [rows, columns], experts = 1 }: WeightRow): [number, number] {
  return [rows / experts, columns];
}

/**
 * What a row of experts is made of in a file; undefined where it is not there. Throws FormatError for an expert that is
 * missing and for shapes that do not fit.
 */
export function expertSource(
  { file, kind, tensors, isNew = false }: ModelFacts,
  row: WeightRow,
): ParameterSource | undefined {
  const experts = row.experts as number;
  const [rows, columns] = expertShape(row);
  const { of, first } = (kind === "hf" ? row.hfTurns : undefined) ?? { of: 1, first: 0 };
  const stacked = row[kind];
  if (stacked === undefined) return undefined;
  const isApart = kind === "gguf" && row.ggufEach !== undefined && !tensors.has(stacked);
  const name = isApart && tensors.has(expertName(row.ggufEach, 0)) ? row.ggufEach : stacked;
  const names = isEach(name) ? Array.from({ length: experts }, (_, e) => expertName(name, e)) : [name];
  const found = tensors.get(names[0]);
  const isTransposed = kind === "hf" && row.hfTransposed === true && !liesInBlocks(found);
  const matrix = isTransposed ? [columns, of * rows] : [of * rows, columns];
  const expected = show(isEach(name) ? matrix : [experts, ...matrix]);
  for (const one of names) {
    const tensor = tensors.get(one);
    if (tensor === undefined && row.optional && one === names[0]) return undefined;
    if (tensor === undefined && !isNew) throw new FormatError(file, `tensor ${one}`, "missing", expected);
    if (tensor !== undefined && show(tensor.shape) !== expected) {
      throw new FormatError(file, `shape of ${one}`, [...tensor.shape], expected);
    }
  }
  const count = of * rows;
  const apart = isEach(name) ? names : isTransposed ? Array<string>(experts).fill(name) : undefined;
  return {
    vector: false,
    rows: experts * rows,
    columns,
    matrices: experts,
    ...(row.chosen !== undefined && { chosen: row.chosen }),
    pieces: apart?.map((tensor, expert) => ({ tensor, first: 0, count, ...(!isEach(name) && { matrix: expert }) })) ?? [
      { tensor: name, first: 0, count: experts * count },
    ],
    ...(isTransposed && { transpose: true }),
    ...(of > 1 && { rowAt: (i: number) => (Math.floor(i / rows) * rows + (i % rows)) * of + first }),
  };
}

/** Blocks lie along an expert's inputs, so that they are stored with outputs as rows. */
const liesInBlocks = (tensor: Pick<FileTensor, "format" | "inBlocks"> | undefined): boolean =>
  tensor !== undefined && (tensor.inBlocks === true || formats[tensor.format].blockSize > 1);

/** A matrix (R, C) of which a tensor (R, of C) has every `of`-th column. */
export function turnedColumns(
  tensor: string,
  [rows, columns]: readonly number[],
  { of, first }: Turns,
): ParameterSource {
  return {
    vector: false,
    rows,
    columns,
    pieces: [{ tensor, first: 0, count: rows * columns * of }],
    byElement: true,
    rowAt: (i) => i * of + first,
  };
}
