// Graphs evaluated from end to end in f64, by the reference's evaluations: a program's inputs and outputs are f32, too
// coarse to tell a gradient from differences.
import { uniform } from "../../src/base/random.ts";
import { Matrix, type Rows } from "../../src/device/reference/rows.ts";
import { evaluations } from "../../src/device/reference/table.ts";
import {
  type ExtentValues,
  type Graph,
  type Shape,
  type Tensor,
  graph,
  input,
  leafName,
  sizeAt,
} from "../../src/graph/index.ts";

export type Values = Readonly<Record<string, ArrayLike<number>>>;

const pacer = { due: () => false, giveWay: async () => {} };

/** The outputs of a graph, by name, from its leaves' numbers. */
export async function evaluate<N extends string>(
  { nodes, outputs }: Graph,
  leaves: Values,
  extents: ExtentValues = {},
): Promise<Record<N, Float64Array>> {
  const values = new Map<Tensor, Rows>();
  const valueOf = (tensor: Tensor): Rows => values.get(tensor) as Rows;
  for (const node of nodes) {
    const [rows, columns] = [1, ...node.shape].slice(-2).map((size) => sizeAt(size, extents));
    const row = evaluations.get(node.op.name);
    const value =
      row === undefined
        ? new Matrix(Float64Array.from(leaves[leafName(node)]), rows, columns)
        : await row.evaluate(node.inputs.map(valueOf), node.attributes, pacer, { rows, columns });
    values.set(node, value);
  }
  const found = Object.entries(outputs).map(([name, tensor]) => [name, numbersOf(valueOf(tensor))]);
  return Object.fromEntries(found) as Record<N, Float64Array>;
}

/** What `outputs` are, by name. */
export const evaluateTensors = <N extends string>(
  outputs: Readonly<Record<N, Tensor>>,
  leaves: Values,
  extents?: ExtentValues,
): Promise<Record<N, Float64Array>> => evaluate<N>(graph(outputs), leaves, extents);

const numbersOf = (x: Rows): Float64Array =>
  Float64Array.from(Array.from({ length: x.rows }, (_, i) => Array.from(x.row(i))).flat());

/** How many numbers a shape holds. */
export const elementsOf = (shape: Shape, extents: ExtentValues): number =>
  shape.reduce<number>((count, size) => count * sizeAt(size, extents), 1);

/** Numbers between -2 and 2, none nearer to 0 than 0.05: away from where a function bends. */
export function randomNumbers(stream: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const x = 4 * uniform(5, stream, i) - 2;
    return x + 0.05 * Math.sign(x);
  });
}

export const floats = (name: string, ...shape: Shape): Tensor => input(name, shape, "f32");
export const ints = (name: string, ...shape: Shape): Tensor => input(name, shape, "i32");
