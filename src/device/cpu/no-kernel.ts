// The refusal of what the reference executor computes and this one does not.
import { UnsupportedError } from "../../base/errors.ts";

/** `what`: what there is no kernel for; `why` says what one would need. */
export const noKernel = (what: string, why?: string): UnsupportedError =>
  new UnsupportedError(`The cpu executor has no kernel for ${what}${why === undefined ? "" : `: ${why}`}.`, {
    hint: 'The reference executor, which is slow, has every op: load with executor "reference".',
  });

/** Heads so many and wide that a thread's scratch does not hold one row of their attention. */
export const noScratch = (
  headsPerGroup: number,
  headSize: number,
  bytes: number,
  bytesMost: number,
): UnsupportedError =>
  noKernel(
    `attention of ${headsPerGroup} heads of ${headSize} to a group`,
    `one row takes ${bytes} bytes of scratch, expected ${bytesMost} at most`,
  );
