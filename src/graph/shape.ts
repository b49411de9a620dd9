// Sizes and shapes. A size is a number or a named extent with an upper bound: arenas are planned at the bounds, kernels
// loop to the run's value, so nothing is padded. Not here: which ops allow which shapes (ops/).

/** A size that varies from run to run, such as `rows` or `outputRows`; 0 <= value <= bound. */
export interface Extent {
  readonly name: string;
  readonly bound: number;
}

export type Size = number | Extent;
export type Shape = readonly Size[];
/** The values of a run's extents, by name. */
export type ExtentValues = Readonly<Record<string, number>>;

export const bound = (size: Size): number => (typeof size === "number" ? size : size.bound);
export const elementsBound = (shape: Shape): number => shape.reduce<number>((n, size) => n * bound(size), 1);

export function sizeAt(size: Size, extents: ExtentValues): number {
  return typeof size === "number" ? size : extents[size.name];
}

/** Extents are equal when their names are: one name has one bound within a graph. */
export function sameSize(a: Size, b: Size): boolean {
  return typeof a === "number" || typeof b === "number" ? a === b : a.name === b.name && a.bound === b.bound;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => sameSize(size, b[i]));
}

export function showShape(shape: Shape): string {
  return `[${shape.map((size) => (typeof size === "number" ? size : `${size.name}<=${size.bound}`)).join(", ")}]`;
}
