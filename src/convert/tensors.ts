// Which tensors the written file has and how each comes out of the other file: the families' own loading maps, read
// as a table of names on both sides. A tensor is described as a parameter, so that reading it, transposed or permuted,
// is the file store's work.
import type { Files } from "../engine/file-store.ts";
import type { HeadRows, Model, ParameterSource, WeightRow } from "../models/index.ts";
import { interleavedRow, storedShape } from "../models/loading.ts";
import { isOfExperts, planExperts } from "./experts.ts";
import { gainsLessOne } from "./gains.ts";
import type { TensorPlan } from "./tensor-plan.ts";

/** The tensors of `model`, whose files are of kind `from`, as the other kind (or the same, unchanged) has them. */
export function planTensors(model: Model, files: Files, to: "hf" | "gguf"): TensorPlan[] {
  const { kind: from, tensors } = files;
  const plans = new Map<string, TensorPlan>();
  for (const row of model.weightRows) {
    const [name, written] = [row[from], row[to]];
    if (name === undefined || written === undefined) continue; // GGUF has no name for it
    if (isOfExperts(row)) {
      for (const plan of planExperts(model, files, row, written, to)) plans.set(plan.name, plan);
      continue;
    }
    const stored = tensors.get(name);
    if (stored === undefined || plans.has(written)) continue; // optional and absent; another part of a fused tensor
    if (from !== to && !isSame(row.hfHeads, row.ggufHeads)) {
      plans.set(written, planHeads(model, row, written, to));
      continue;
    }
    const transpose = from !== to && row.hfTransposed === true;
    const whole = transpose ? stored.shape.toReversed() : stored.shape;
    const pieces = piecesOf(row, name, whole[0], from === to ? undefined : to);
    const shape = [pieces.reduce((sum, { count }) => sum + count, 0), ...whole.slice(1)];
    const vector = shape.length === 1;
    const rowAt = from === to ? undefined : permutation(row, to);
    plans.set(written, {
      name: written,
      shape: row[`${to}Shape`] ?? (row[`${from}Shape`] === undefined ? shape : row.shape),
      source: {
        vector,
        rows: vector ? 1 : shape[0],
        columns: shape.at(-1) as number,
        pieces,
        ...(rowAt !== undefined && { rowAt }),
        ...(transpose && { transpose }),
        ...(row.hfAddOne === true && from === "hf" && to === "gguf" && { addOne: true }),
        ...(row.hfUnitRows === true && from === "hf" && to === "gguf" && { unitRows: true }),
      },
      ...(row.hfAddOne === true &&
        from === "gguf" &&
        to === "hf" && {
          change: (gains: Float32Array<ArrayBuffer>) => gainsLessOne(gains, files, name),
        }),
      alwaysF32: vector || row.ggufShape?.length === 1 || ALWAYS_F32.test(row.parameter),
    });
  }
  return [...plans.values()];
}

/** What llama.cpp keeps in f32 beside vectors: learned positions, what routes to experts, biases of experts. */
const ALWAYS_F32 = /^positions\.weight$|router\.weight$|\.bias$/;

const isSame = (a: HeadRows | undefined, b: HeadRows | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A tensor that has the rows of several parameters in one kind of file only. */
function planHeads({ parameters, weightRows }: Model, row: WeightRow, name: string, to: "hf" | "gguf"): TensorPlan {
  const shape = storedShape(row, to);
  const plan = { name, shape, alwaysF32: false };
  if (row[`${to}Heads`] === undefined) {
    const [source, order] = [parameters.get(row.parameter)!, permutation(row, to)];
    if (order === undefined) return { ...plan, source };
    const { rowAt = (i: number) => i } = source;
    return { ...plan, source: { ...source, rowAt: (i: number) => rowAt(order(i)) } };
  }
  const joined = weightRows
    .filter((other) => other[to] === name)
    .map((part) => ({ parameter: parameters.get(part.parameter)!, layout: part[`${to}Heads`]! }));
  const [rows, columns] = shape;
  const pieces = joined.flatMap(({ parameter }) => parameter.pieces);
  return { ...plan, source: { vector: false, rows, columns, pieces, joinedHeads: joined } };
}

/** The rows that the written tensor is made of. Those that only HF has are never read: they are copies of the first. */
function piecesOf(
  { hfPart }: WeightRow,
  tensor: string,
  count: number,
  to: "hf" | "gguf" | undefined,
): ParameterSource["pieces"] {
  const whole = { tensor, first: 0, count };
  if (hfPart === undefined || hfPart.first === 0 || to === undefined) return [whole];
  const { first } = hfPart;
  return to === "gguf" ? [{ tensor, first, count: count - first }] : [{ tensor, first: 0, count: first }, whole];
}

function permutation({ ggufInterleaved: headSize }: WeightRow, to: "hf" | "gguf"): ParameterSource["rowAt"] {
  if (headSize === undefined) return undefined;
  return to === "hf" ? (i) => interleavedRow(i, headSize) : (i) => halvesRow(i, headSize);
}

/** Where HF keeps row i of GGUF's q or k: pair (2j, 2j + 1) of a head lies at (j, j + D/2). */
function halvesRow(i: number, headSize: number): number {
  const inHead = i % headSize;
  return i - inHead + (inHead >> 1) + (inHead & 1) * (headSize / 2);
}
