// Counts bytes on their way to a file for the progress bar, and leaves at the first piece after an abort.
import type { OnProgress } from "../base/progress.ts";
import type { ByteSink } from "../format/byte-writer.ts";

export interface Meter {
  readonly label: string;
  /** Bytes. */
  readonly total: number;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Returns a function to be called with every number of bytes done; it throws AbortError after an abort. */
export function counter({ label, total, onProgress, signal }: Meter): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    signal?.throwIfAborted();
    done = Math.min(total, done + bytes); // a file has a header besides
    onProgress?.({ label, done, total, unit: "bytes" });
  };
}

export function withProgress(sink: ByteSink, meter: Meter): ByteSink {
  const count = counter(meter);
  return {
    async append(bytes) {
      count(bytes.byteLength);
      await sink.append(bytes);
    },
  };
}
