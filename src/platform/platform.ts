// What Liang asks of its host: files, folders, machine facts, threads, a clock, machine code (native.ts). One interface; package.json maps
// `#platform` to the body that fits the host (node/, browser/). Everything above imports `#platform`, never a body.
// Not here: the network, databases (store/), the terminal (cli/).
import type { ByteSource } from "../base/source.ts";
import type { Native, NativeRefusal } from "./native.ts";

export type * from "./native.ts";

/** A file being written: under a temporary name until `finish`, so that no reader ever sees half a file. */
export interface FileWriter extends AsyncDisposable {
  /** Bytes appended so far, which is where the next ones go. */
  readonly position: number;
  append(bytes: Uint8Array): Promise<void>;
  /** Overwrites bytes that were appended before; throws ShapeError outside of them. */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  /** Writes to the disk (fsync) and puts the file in its place. Nothing may be written after it. */
  finish(): Promise<void>;
  /** Removes what was written; does nothing after `finish`. Disposing does this. */
  discard(): Promise<void>;
}

export interface FileFacts {
  readonly kind: "file" | "folder" | "other";
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface FolderEntry extends FileFacts {
  readonly name: string;
}

export interface MachineFacts {
  /** Threads that can run at once; a container's limit is respected. */
  readonly cores: number;
  readonly cpu: string;
  /** "linux", "darwin", "win32". */
  readonly os: string;
  /** "x64", "arm64". */
  readonly architecture: string;
  /** Memory of the machine or of the container. */
  readonly memoryTotalBytes: number;
  /** Of that, what can still be taken without swapping: free memory and file cache that can be dropped. */
  readonly memoryAvailableBytes: number;
}

/** Things that move to the other thread instead of being copied. */
export type Transfer = ArrayBuffer | MessagePort;

/** The other end of a pair of threads. Messages are structured clones; shared memory is shared. */
export interface MessageEnd {
  post(message: unknown, transfer?: readonly Transfer[]): void;
  /** Calls `handler` for every message from now on; earlier ones wait until the first handler is there. */
  onMessage(handler: (message: unknown) => void): void;
}

export interface WorkerHandle extends MessageEnd, AsyncDisposable {
  /** Calls `handler` when the thread throws or ends by itself with an error; not when it is terminated. */
  onFailure(handler: (error: Error) => void): void;
  /** Whether the process stays alive for this thread from now on; `background` says it for the start. */
  hold(on: boolean): void;
  /** Processor time that the thread has taken since it started, also in an endless loop; undefined where the host does not tell. */
  processorMs(): Promise<number | undefined>;
  /** Stops the thread wherever it is, also in an endless loop. */
  terminate(): Promise<void>;
}

/**
 * The module of a thread. It is written `new Worker(new URL("./name.ts", import.meta.url), { type: "module" })`, word for
 * word: that is how bundlers find modules of threads. Nothing runs before `startWorker`.
 */
export interface WorkerModule {
  readonly url: URL;
}

export interface WorkerOptions {
  /** Shown by debuggers and profilers. */
  readonly name?: string;
  readonly transfer?: readonly Transfer[];
  /** Whether the process may end while the thread runs. Default false. */
  readonly background?: boolean;
  /** Cap of the thread's JS heap; beyond it the thread fails. */
  readonly heapBytesMax?: number;
}

/** A worker's view of itself: what `startWorker` gave it, and the way back. */
export interface CurrentWorker extends MessageEnd {
  readonly data: unknown;
}

export interface Platform {
  /**
   * Opens a file for ranged reads. Throws NotFoundError when it is not there, FormatError when it is no regular file,
   * LiangError "no_permission" when it may not be read.
   */
  readonly openFile: (path: string) => Promise<ByteSource>;
  /** Starts writing `path` (its folder must be there); the name appears at `finish` and replaces what it named. */
  readonly createFileWriter: (path: string) => Promise<FileWriter>;
  /** All bytes of a small file; throws FormatError when it is larger than `bytesMax`, NotFoundError when not there. */
  readonly readBytes: (path: string, bytesMax: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** A small UTF-8 file as text (without a byte order mark); FormatError also when it is no UTF-8. */
  readonly readText: (path: string, bytesMax: number) => Promise<string>;
  /** A file of an installed package; undefined in a browser, where the bundler has put it where the package looks for it. */
  readonly packageFile: (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What `path` names, links followed; undefined when nothing. */
  readonly fileFacts: (path: string) => Promise<FileFacts | undefined>;
  /** What is in a folder, sorted by name; broken links are left out. Throws NotFoundError. */
  readonly listFolder: (path: string) => Promise<FolderEntry[]>;
  /** Makes a folder and those above it; nothing happens when it is there. */
  readonly makeFolder: (path: string) => Promise<void>;
  /** Makes a new, empty folder for temporary files and returns its path. The caller removes it. */
  readonly makeTemporaryFolder: () => Promise<string>;
  /** Removes a file or a folder with all in it; nothing happens when it is not there. */
  readonly remove: (path: string) => Promise<void>;
  /** Gives a file or folder another name on the same disk; a file of that name is replaced. */
  readonly move: (from: string, to: string) => Promise<void>;
  readonly joinPath: (...parts: string[]) => string;
  /** The path from the root, whatever the current folder is. */
  readonly absolutePath: (path: string) => string;
  /** The folder that `path` is in, and its last part. */
  readonly splitPath: (path: string) => { readonly folder: string; readonly name: string };
  /** Where Liang keeps what lasts: `LIANG_HOME`, else "liang" in the user's data folder. Not created by this. */
  readonly dataFolder: () => string;
  readonly machineFacts: () => Promise<MachineFacts>;
  /** Whether threads can share memory; false in a browser's page that is not cross-origin isolated. */
  readonly sharesMemory: () => boolean;
  /** An environment variable of Liang's own ("LIANG_CPU"); undefined where it is not set or empty. */
  readonly environment: (name: `LIANG_${string}`) => string | undefined;
  /** Bytes of memory that this process holds. */
  readonly residentBytes: () => number;
  /** Gives back memory that nothing refers to any more, now instead of some time later. Takes tens of milliseconds. */
  readonly collectGarbage: () => Promise<void>;
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  readonly now: () => number;
  /** Resolves once the event loop has had a turn: timers that are due, messages and signals are heard before. */
  readonly eventLoopTurn: () => Promise<void>;
  readonly Worker: new (url: URL, options: { readonly type: "module" }) => WorkerModule;
  /** Runs a module in a thread of its own; it finds `data` in `currentWorker()`. */
  readonly startWorker: (module: WorkerModule, data: unknown, options?: WorkerOptions) => WorkerHandle;
  /** Inside a worker: its data and the way back to who started it; undefined on the main thread. */
  readonly currentWorker: () => CurrentWorker | undefined;
  /** Machine code and memory outside of JavaScript's, or the reason why this host has none. Tried at the first call. */
  readonly native: () => Native | NativeRefusal;
}
