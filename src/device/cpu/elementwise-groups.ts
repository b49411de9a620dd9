// Which values of a graph are computed element by element in one step: those of one shape that read each other, or the
// same state. A group waits until something reads or overwrites what it touches, and takes in what can still join; so
// groups that wait never depend on each other. Here: which values, and when. What step they become: lower-elementwise.ts.
import { type Op, type Tensor, assignOp, binaryOp, isState, sameShape, scaleOp, unaryOp } from "../../graph/index.ts";
import { broadcastOp, constantOp, showShape } from "../../graph/index.ts";
import type { Lowering } from "./lowering.ts";
import type { Place, Word } from "./step.ts";

/** Arrays of a step at most: their addresses take a register each. */
const ARRAYS_MOST = 10;

const isOp = (node: Tensor, op: Op<never>): boolean => node.op === (op as unknown as Op);
export const isAssign = (node: Tensor): boolean => isOp(node, assignOp) && node.type === "f32";
const computes = (node: Tensor): boolean => isOp(node, unaryOp) || isOp(node, binaryOp) || isOp(node, scaleOp);
/** Values that are read where they come from, unless somebody else asks for them. */
const repeats = (node: Tensor): boolean => isOp(node, broadcastOp) || isOp(node, constantOp);
export const isElementwise = (node: Tensor): boolean => computes(node) || repeats(node) || isAssign(node);

/** What a member computes with: an assignment's state is written, not read. */
export const operandsOf = (node: Tensor): readonly Tensor[] => (isAssign(node) ? [node.inputs[1]] : node.inputs);

/** Where an operand's numbers are: that of a repeated value is what is repeated. */
export const sourceOf = (operand: Tensor): Tensor => (isOp(operand, broadcastOp) ? operand.inputs[0] : operand);

/** A state whose versions a tensor is one of, if it is one. */
function stateOf(tensor: Tensor): Tensor | undefined {
  if (tensor.op.result === "alias") return stateOf(tensor.inputs[0]);
  return isState(tensor) ? tensor : undefined;
}

export interface Group {
  /** In the order in which they can be computed. */
  readonly members: ReadonlySet<Tensor>;
  /** Columns after which a row operand begins again; 0 where there is none. */
  readonly width: number;
}

/** Groups of a lowering; `emit` adds the step of one. */
export class ElementwiseGroups {
  readonly #lowering: Lowering;
  readonly #emit: (group: Group) => void;
  readonly #waiting = new Set<Group>();
  readonly #lowered = new Set<Tensor>();

  constructor(lowering: Lowering, emit: (group: Group) => void) {
    this.#lowering = lowering;
    this.#emit = emit;
  }

  /** Takes a value in, or leaves it to its readers. */
  add(node: Tensor): void {
    this.#lowered.add(node);
    const readers = this.#lowering.readers(node);
    if (repeats(node) && readers?.every((reader) => isElementwise(reader)) === true) return;
    const joined = this.#joined(node);
    if (isAssign(node)) this.#flush((group) => this.#reads(group, stateOf(node) as Tensor), joined);
    for (const group of joined) this.#waiting.delete(group);
    const members = new Set([...joined.flatMap((group) => [...group.members]), node].sort((a, b) => a.id - b.id));
    const group: Group = { members, width: Math.max(widthOf(node), ...joined.map(({ width }) => width)) };
    this.#waiting.add(group);
    if (this.#isComplete(group)) this.#flush((other) => other === group);
  }

  /** What a step is about to read or write must have been written. */
  before(words: Iterable<Word>): void {
    if (this.#waiting.size === 0) return;
    const places = new Set<unknown>(words);
    this.#flush((group) => this.#placesOf(group).some((place) => places.has(place)));
  }

  /** What is derived of a value is asked for. */
  beforeReading(tensor: Tensor): void {
    this.#flush(({ members }) => members.has(tensor));
  }

  flush(): void {
    this.#flush(() => true);
  }

  /** The groups that a value joins; those that it only reads are written first. */
  #joined(node: Tensor): Group[] {
    const sources = operandsOf(node).map(sourceOf);
    const states = new Set([node, ...sources].map(stateOf).filter((state) => state !== undefined));
    const isLinked = (group: Group): boolean =>
      sources.some((source) => group.members.has(source)) ||
      [...states].some((state) => sameShape(state.shape, node.shape) && this.#reads(group, state));
    const linked = [...this.#waiting].filter(
      (group) => showShape(shapeOf(group)) === showShape(node.shape) && isLinked(group),
    );
    const widths = new Set([widthOf(node), ...linked.map(({ width }) => width)].filter((width) => width > 0));
    const arrays = new Set(
      [node, ...linked.flatMap(({ members }) => [...members])].flatMap((member) => [
        ...operandsOf(member).map(sourceOf),
        ...(isAssign(member) ? [stateOf(member)] : []),
      ]),
    );
    const inside = new Set<Tensor | undefined>(linked.flatMap(({ members }) => [...members]));
    const count = [...arrays].filter((tensor) => !inside.has(tensor)).length;
    const joined = widths.size > 1 || count > ARRAYS_MOST ? [] : linked;
    this.#flush((group) => sources.some((source) => group.members.has(source)) || linked.includes(group), joined);
    return joined;
  }

  /** Whether nobody is left who could join: all readers of members, and of the states they touch, have been here. */
  #isComplete({ members }: Group): boolean {
    const touched = [...members].flatMap((member) => [member, ...operandsOf(member).filter(isState)]);
    return touched.every((tensor) => {
      const readers = this.#lowering.readers(tensor);
      return readers?.every((reader) => members.has(reader) || this.#lowered.has(reader)) === true;
    });
  }

  #reads({ members }: Group, state: Tensor): boolean {
    return [...members].some(
      (member) =>
        stateOf(member) === state || operandsOf(member).some((operand) => stateOf(sourceOf(operand)) === state),
    );
  }

  #placesOf({ members }: Group): (Place | undefined)[] {
    return [...members].flatMap((member) => {
      const states = [member, ...operandsOf(member).map(sourceOf)].map(stateOf).filter((state) => state !== undefined);
      return [this.#lowering.knownPlace(member), ...states.map((state) => this.#lowering.place(state))];
    });
  }

  #flush(isDue: (group: Group) => boolean, except: readonly Group[] = []): void {
    for (const group of this.#waiting) {
      if (except.includes(group) || !isDue(group)) continue;
      this.#waiting.delete(group);
      this.#emit(group);
    }
  }
}

export const shapeOf = ({ members }: Group): Tensor["shape"] => [...members][0].shape;

/** Columns of the row that a value repeats, where it reads one. */
function widthOf(node: Tensor): number {
  const repeated = [node, ...operandsOf(node)].filter((tensor) => isOp(tensor, broadcastOp));
  const rows = repeated.map(sourceOf).filter(({ shape }) => shape.length === 1 && !sameShape(shape, [1]));
  return Math.max(0, ...rows.map(({ shape }) => shape[0] as number));
}
