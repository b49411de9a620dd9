// The adapters of a running model: tables in its states, one place for each adapter, which rows choose by number. Attaching
// writes a place's part of every table, between runs; no weight of the model is read or changed. Not here: reading files
// (adapter-tables.ts), making room where there is none (chat/).
import { UsageError } from "../base/errors.ts";
import { adapterState } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { projectionsOf } from "../models/adapter.ts";
import { type AdapterRoom, loraWeights } from "../nn/index.ts";
import type { AdapterTables, ProjectionTables } from "./adapter-tables.ts";

export type { AdapterRoom } from "../nn/index.ts";

/** A rank in tables is a multiple of this: whole registers on every machine. */
const RANK_STEP = 16;
const FLOAT_BYTES = 4;

/** An adapter in place. What was computed with it is compared by identity: another one in the same place is another one. */
export interface AttachedAdapter {
  /** What its rows choose: 1 for the first place. */
  readonly choice: number;
}

/** Room for all of `adapters`, places in powers of two, so that room is made seldom where they come one by one. */
export function roomFor(model: Model, adapters: readonly AdapterTables[]): AdapterRoom {
  const all = adapters.flatMap(({ projections }) => [...projections]);
  const rank = all.reduce((most, [, tables]) => Math.max(most, tables.rank), 1);
  const adapted = new Set(all.map(([name]) => name));
  const turned = new Set(all.filter(([, { turn }]) => turn !== undefined).map(([name]) => name));
  const names = projectionsOf(model);
  return {
    count: 2 ** Math.ceil(Math.log2(Math.max(1, adapters.length))),
    rank: Math.ceil(rank / RANK_STEP) * RANK_STEP,
    projections: names.filter((name) => adapted.has(name)),
    magnitudes: names.filter((name) => turned.has(name)),
  };
}

/** Whether an adapter can be written into a place of the room. */
export function fitsRoom({ rank, projections, magnitudes }: AdapterRoom, adapter: AdapterTables): boolean {
  return [...adapter.projections].every(
    ([name, tables]) =>
      tables.rank <= rank && projections.includes(name) && (tables.turn === undefined || magnitudes.includes(name)),
  );
}

/** Bytes of the tables. */
export function roomBytes({ count, rank, projections, magnitudes }: AdapterRoom, model: Model): number {
  const elements = projections.map((name) => {
    const { rows, columns } = model.parameters.get(`${name}.weight`)!;
    return count * rank * (rows + columns) + (magnitudes.includes(name) ? (1 + count) * rows : 0);
  });
  return elements.reduce((sum, count) => sum + count, 0) * FLOAT_BYTES;
}

type States = Readonly<Record<string, Float32Array>>;

/** The places of an open model's tables. */
export class AdapterPlaces {
  readonly #room: AdapterRoom;
  readonly #states: States;
  /** By place. */
  readonly #attached: (AttachedAdapter | undefined)[];

  /** `states`: of the open model. Nothing may run meanwhile. */
  constructor(room: AdapterRoom, states: States) {
    this.#room = room;
    this.#states = states;
    this.#attached = Array.from({ length: room.count });
    for (const name of room.magnitudes) this.#table(loraWeights(name).magnitude).fill(1); // row 0 is chosen by rows with none
  }

  /** Whether a request may name it: it was attached here and not detached since. */
  has(adapter: AttachedAdapter): boolean {
    return this.#attached.includes(adapter);
  }

  /** A place with no adapter whose rows `isBusy` does not tell of; undefined: all are taken. */
  free(isBusy: (choice: number) => boolean): number | undefined {
    const place = this.#attached.findIndex((adapter, place) => adapter === undefined && !isBusy(place + 1));
    return place < 0 ? undefined : place;
  }

  /** Writes an adapter that fits into a free place. Nothing may run meanwhile. */
  write(place: number, { projections, file }: AdapterTables): AttachedAdapter {
    for (const name of projections.keys()) {
      if (!this.#room.projections.includes(name)) throw new UsageError(`There is no room for ${name} of ${file}.`);
    }
    for (const name of this.#room.projections) this.#writeProjection(place, name, projections.get(name));
    const adapter = { choice: place + 1 };
    this.#attached[place] = adapter;
    return adapter;
  }

  /** A copy of what was written, as large as the place. */
  read({ choice }: AttachedAdapter): AdapterTables {
    const { rank, projections, magnitudes } = this.#room;
    const read = projections.map((name): [string, ProjectionTables] => {
      const names = loraWeights(name);
      const [at, bt] = [this.#part(names.a, choice - 1), this.#part(names.b, choice - 1)]; // (K, R), (R, M)
      const [inner, outer] = [at.length / rank, bt.length / rank];
      const a = Float32Array.from(at, (_, i) => at[(i % inner) * rank + Math.floor(i / inner)]);
      const b = Float32Array.from(bt, (_, i) => bt[(i % rank) * outer + Math.floor(i / rank)]);
      const turn = magnitudes.includes(name)
        ? this.#table(names.magnitude).slice(choice * outer, (choice + 1) * outer)
        : undefined;
      return [name, { rank, inner, outer, a, b, ...(turn !== undefined && { turn }) }];
    });
    return { file: `place ${choice}`, projections: new Map(read) };
  }

  /** Its place is free once no row of it is to run any more. */
  detach(adapter: AttachedAdapter): void {
    const place = this.#attached.indexOf(adapter);
    if (place >= 0) this.#attached[place] = undefined;
  }

  #writeProjection(place: number, name: string, tables: ProjectionTables | undefined): void {
    const { rank, magnitudes } = this.#room;
    const names = loraWeights(name);
    const a = this.#part(names.a, place).fill(0); // (K, R)
    const b = this.#part(names.b, place).fill(0); // (R, M)
    const outer = b.length / rank;
    const turn = magnitudes.includes(name)
      ? this.#table(names.magnitude).subarray((place + 1) * outer, (place + 2) * outer)
      : undefined;
    turn?.fill(1);
    if (tables === undefined) return;
    for (let r = 0; r < tables.rank; r++) {
      for (let k = 0; k < tables.inner; k++) a[k * rank + r] = tables.a[r * tables.inner + k];
      for (let m = 0; m < outer; m++) b[r * outer + m] = tables.b[m * tables.rank + r];
    }
    if (tables.turn !== undefined) turn?.set(tables.turn);
  }

  /** A place's part of a table that holds as much for each. */
  #part(name: string, place: number): Float32Array {
    const table = this.#table(name);
    const size = table.length / this.#room.count;
    return table.subarray(place * size, (place + 1) * size);
  }

  #table(name: string): Float32Array {
    return this.#states[adapterState(name)];
  }
}
