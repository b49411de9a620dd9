// Progress reports: every action that can take longer than a second takes an `onProgress` and an AbortSignal.

export interface Progress {
  /** What is going on, in a word or two ("load", "prefill", "download"). */
  readonly label: string;
  readonly done: number;
  /** Undefined while unknown. */
  readonly total: number | undefined;
  readonly unit: "bytes" | "tokens" | "tensors" | "items";
}

export type OnProgress = (progress: Progress) => void;
