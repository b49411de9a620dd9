// Weights of experts in files: a tensor for each expert, or one for all, whatever a file has; and which tensors make the
// parameter that holds all experts' rows one after another.
import { FormatError, show } from "../base/errors.ts";
import type { ModelFacts, ParameterSource, WeightRow } from "./model.ts";

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
  const isApart = kind === "gguf" && row.ggufEach !== undefined && !tensors.has(row.gguf);
  const name = isApart && tensors.has(expertName(row.ggufEach, 0)) ? row.ggufEach : row[kind];
  const names = isEach(name) ? Array.from({ length: experts }, (_, e) => expertName(name, e)) : [name];
  const expected = show(isEach(name) ? [rows, columns] : [experts, rows, columns]);
  for (const one of names) {
    const tensor = tensors.get(one);
    if (tensor === undefined && row.optional && one === names[0]) return undefined;
    if (tensor === undefined && !isNew) throw new FormatError(file, `tensor ${one}`, "missing", expected);
    if (tensor !== undefined && show(tensor.shape) !== expected) {
      throw new FormatError(file, `shape of ${one}`, [...tensor.shape], expected);
    }
  }
  const count = isEach(name) ? rows : experts * rows;
  return {
    vector: false,
    rows: experts * rows,
    columns,
    matrices: experts,
    pieces: names.map((tensor) => ({ tensor, first: 0, count })),
  };
}
