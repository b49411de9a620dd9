// A thread that encodes weights, or compares them with what they were: a job at a time, each answered once.
// encode-threads.ts starts it.
import { LiangError } from "../base/errors.ts";
import { encodeValues } from "../convert/values.ts";
import { currentWorker } from "#platform";
import { type FormatName, formats } from "../numeric/registry.ts";
import { LaneSearches, type SearchCode } from "./lane-search.ts";

/** Whole rows of a tensor, as stored. */
export interface Rows {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: FormatName;
}

export type Job =
  | {
      readonly kind: "encode";
      /** The tensor, for errors. */
      readonly name: string;
      readonly rows: Rows;
      readonly count: number;
      readonly to: FormatName;
      /** One number a column. */
      readonly importance: Float32Array | undefined;
      /** Where the format's encoder searches: what does it here, always the same. */
      readonly search?: SearchCode | undefined;
    }
  | { readonly kind: "compare"; readonly rows: Rows; readonly written: Rows; readonly count: number };

/** Sums over the weights of a job. */
export interface ErrorSums {
  /** Of squared differences. */
  readonly errors: number;
  /** Of the weights' own squares. */
  readonly squares: number;
}

export type Reply =
  | { readonly kind: "encode"; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: "compare" } & ErrorSums)
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly exitCode: number };

let searches: LaneSearches | undefined;

function answer(job: Job): Reply {
  const values = formats[job.rows.format].decode(job.rows.bytes, job.count);
  if (job.kind === "encode") {
    if (job.search !== undefined) searches ??= new LaneSearches(job.search);
    return { kind: "encode", bytes: encodeValues(job.name, values, job.to, job.importance, searches) };
  }
  return { kind: "compare", ...compare(values, formats[job.written.format].decode(job.written.bytes, job.count)) };
}

function compare(values: Float32Array, written: Float32Array): ErrorSums {
  let errors = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    errors += (written[i] - values[i]) ** 2;
    squares += values[i] ** 2;
  }
  return { errors, squares };
}

const starter = currentWorker();
starter?.onMessage((message) => {
  try {
    const reply = answer(message as Job);
    starter.post(reply, reply.kind === "encode" ? [reply.bytes.buffer] : []);
  } catch (error) {
    if (!(error instanceof LiangError)) throw error;
    const { code, message, exitCode } = error;
    starter.post({ kind: "failed", code, message, exitCode } satisfies Reply);
  }
});
