// What a browser gives a page or a worker, typed as far as it is used here: the program's sources are compiled without the
// browser's own types, which contradict Node's.

/** A thread of the browser; also the way back of a worker's own scope. */
export interface BrowserWorker {
  postMessage(message: unknown, transfer: readonly unknown[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "error",
    listener: (event: { readonly message?: string; readonly error?: unknown }) => void,
  ): void;
  addEventListener(type: "messageerror", listener: (event: object) => void): void;
  terminate(): void;
}

interface BrowserScope {
  /** True where the page's headers let threads share memory. */
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: {
    readonly hardwareConcurrency?: number;
    readonly deviceMemory?: number;
    readonly userAgent?: string;
  };
  readonly location?: { readonly href: string };
  /** A worker's name. */
  readonly name?: string;
  readonly Worker: new (url: URL, options: { readonly type: "module"; readonly name?: string }) => BrowserWorker;
}

export const host = globalThis as unknown as BrowserScope & Omit<BrowserWorker, "terminate">;
