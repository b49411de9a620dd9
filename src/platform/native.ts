// The native part of the platform: memory of the host outside of JavaScript's, files mapped into it, machine code that is
// made executable and called, and what the processor can do. Where a host refuses any of it, all of it is missing and
// the reason is told. Addresses are plain numbers: a process has 47 or 48 bits of them.
// Not here: which instructions make up a kernel (lanes/), which features make up a tier (device/cpu/tiers.ts).

/** Bytes of a huge page, as x86-64 has them. */
export const HUGE_PAGE_BYTES = 2 << 20;

/** Memory that the system gave us; JavaScript does not track it. */
export interface NativeRegion extends Disposable {
  /** A multiple of the page size; of 2 MiB where huge pages were asked for. */
  readonly address: number;
  readonly bytes: number;
  /** The bytes. `release` detaches it: a view that is used afterwards is empty, not a fault. */
  readonly view: Uint8Array;
  /** Gives the memory back. No thread may use it any more; a second call does nothing. */
  release(): void;
}

export interface AllocateOptions {
  /** Ask for pages of 2 MiB: fewer misses for large weights. A wish: the system may not follow it. Default false. */
  readonly hugePages?: boolean;
}

export interface MapFileOptions {
  /** Where in the file the region begins: a multiple of the page size. Default 0. */
  readonly offset?: number;
  /** Length of the region; default: up to the file's end. */
  readonly bytes?: number;
  /** Writes go to the file. Default false: a write is a fault. */
  readonly writable?: boolean;
  /** true: pages of 2 MiB where the file cache has them (begins at a multiple of 2 MiB); false: small ones only, so that
   * what is never touched is not resident. Default: as the system likes. */
  readonly hugePages?: boolean;
  /** Put it over memory of the caller's that is there: address and length are whole pages. `release` leaves zeros. */
  readonly at?: number;
}

/** What a page of memory may be used for. */
export type PageAccess = "none" | "read" | "write";

/** Machine code with the calling convention of kernels: four integers (addresses included), no result. */
export type NativeFunction = (record: number, part: number, parts: number, scratch: number) => void;

/** Machine code in executable memory, which is never writable at the same time. */
export interface NativeCode extends Disposable {
  readonly address: number;
  readonly bytes: number;
  /** No thread may run in it any more. */
  release(): void;
}

export interface Native {
  /** Features of the processor that the system lets programs use; named as Linux names them. */
  readonly features: ReadonlySet<CpuFeature>;
  readonly pageBytes: number;
  /** Zeroed memory, readable and writable; pages cost nothing until they are touched. Throws MemoryError. */
  allocate(bytes: number, options?: AllocateOptions): NativeRegion;
  /**
   * A file's bytes as memory, shared with the system's file cache. Only for files that nobody truncates meanwhile: reading
   * past the end of one is a fault that nothing catches. Throws NotFoundError, LiangError "no_permission", "native_refused"
   * where files of this kind cannot be mapped, and ShapeError when the range is not inside the file.
   */
  mapFile(path: string, options?: MapFileOptions): NativeRegion;
  /** Asks for pages of 2 MiB where whole ones lie in a range: streams of such memory are read up to a third faster. */
  preferHugePages(address: number, bytes: number): void;
  /** Tells the system that a range will be read soon (whole pages around it): it reads ahead without waiting. */
  willNeed(address: number, bytes: number): void;
  /** Brings whole pages of a range into memory now, in one call: waits for the disk where they are not cached. */
  populate(address: number, bytes: number): void;
  /**
   * Makes whole pages of a mapped file memory of the process, with the same bytes, also while threads read them. Throws
   * MemoryError, LiangError "native_refused".
   */
  ownPages(address: number, bytes: number): void;
  /** Gives the pages inside a range of memory back to the system; they are zeros when they are touched again. */
  discard(address: number, bytes: number): void;
  /** Changes what whole pages may be used for. */
  protect(address: number, bytes: number, access: PageAccess): void;
  /** Where the bytes of a shared buffer lie; they never move. */
  addressOf(buffer: SharedArrayBuffer): number;
  /** Copies code into executable memory. Throws LiangError "native_refused" when the system allows none. */
  makeExecutable(code: Uint8Array): NativeCode;
  /** The code at `address` as a function of this thread; every thread makes its own. A fault in it ends the process. */
  callable(address: number): NativeFunction;
  /** Asks for tile registers, for all threads of the process; false where they are not granted. Without a grant, an
   * instruction on tiles ends the process. */
  requestTiles(): boolean;
  /** Keeps the calling thread on one of the cores that it may use, the `index`th of them (from 0; past the last, the
   * first again); false where the system does not do it. */
  pinThread(index: number): boolean;
}

/** Why this host has no native part, as a sentence. */
export interface NativeRefusal {
  readonly reason: string;
  /** It should be there: a package is missing, or the system refuses something. */
  readonly failed?: true;
}

export const cpuFeatures = [
  "avx",
  "avx2",
  "fma",
  "f16c",
  "avx_vnni",
  "avx512f",
  "avx512bw",
  "avx512dq",
  "avx512vl",
  "avx512vbmi",
  "avx512_vnni",
  "avx512_bf16",
  "avx512_fp16",
  "amx_tile",
  "amx_bf16",
  "amx_int8",
] as const;
export type CpuFeature = (typeof cpuFeatures)[number];
