// The refusal of what the reference executor computes and this one does not.
import { UnsupportedError } from "../../base/errors.ts";

/** `what`: what there is no kernel for; `why` says what one would need. */
export const noKernel = (what: string, why?: string): UnsupportedError =>
  new UnsupportedError(`The cpu executor has no kernel for ${what}${why === undefined ? "" : `: ${why}`}.`, {
    hint: 'The reference executor, which is slow, has every op: load with executor "reference".',
  });

/** Heads so wide that a thread's scratch does not hold one row of one of them. */
export const noScratch = ({ headSize }: { readonly headSize: number }): UnsupportedError =>
  noKernel(`attention of heads of ${headSize}`, "one row of one head takes more scratch than a thread has");
