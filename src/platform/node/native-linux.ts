// The native part's calls to Linux on x64: memory, protection, files, threads, and the two small pieces of code that read
// CPUID and XCR0 (System V: arguments in rdi, rsi, rdx, rcx). Another system is another file with this one's exports.
import type { PageAccess } from "../native.ts";

type ForeignFunction = (...values: unknown[]) => number;

/** What we use of koffi; a type of ours, since koffi is optional and its types may not be there. */
export interface Koffi {
  load(path: null): { func(definition: string): ForeignFunction };
  proto(definition: string): unknown;
  decode(address: bigint, type: unknown): unknown;
  view(address: bigint, bytes: number): ArrayBuffer;
  address(value: ArrayBufferLike): bigint;
  errno(): number;
}

/** What native.ts needs of a system. Calls that may fail give a negative number or false then. */
export interface HostCalls {
  readonly pageBytes: number;
  /** void (out: address of 4 words, leaf, subleaf) */
  readonly cpuidCode: Uint8Array;
  /** void (out: address of a word) */
  readonly xgetbvCode: Uint8Array;
  /** Zeroed, writable memory; at an address of the caller's memory where one is given. */
  map(bytes: number, at?: number): number;
  mapFile(descriptor: number, offset: number, bytes: number, writable: boolean, at?: number): number;
  unmap(address: number, bytes: number): void;
  /** Pages take the place of others at once: who reads these sees the one or the other. */
  moveOver(from: number, bytes: number, to: number): boolean;
  protect(address: number, bytes: number, access: PageAccess | "execute"): boolean;
  adviseHugePages(address: number, bytes: number, on: boolean): void;
  adviseWillNeed(address: number, bytes: number): void;
  populate(address: number, bytes: number): void;
  discard(address: number, bytes: number): void;
  requestTiles(): boolean;
  pinThread(index: number): boolean;
}

// Numbers of Linux on x86-64: mman.h, madvise(2), arch_prctl(2).
const PROT_NONE = 0;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000; // memory that may stay untouched is not counted
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MADV_WILLNEED = 3;
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
const MADV_NOHUGEPAGE = 15;
const MADV_POPULATE_READ = 22; // since Linux 5.14; before, pages come when they are touched
const SYS_ARCH_PRCTL = 158;
const ARCH_REQ_XCOMP_PERM = 0x1023;
const XFEATURE_XTILEDATA = 18;
const CORES_MAX = 1024; // bits of glibc's cpu_set_t
const CALLING_THREAD = 0;

const protections = {
  none: PROT_NONE,
  read: PROT_READ,
  write: PROT_READ | PROT_WRITE,
  execute: PROT_READ | PROT_EXEC,
} as const;

const PAGE_BYTES = 4096;

const CPUID_CODE = [
  [0x53], // push rbx          the caller's
  [0x89, 0xf0], // mov eax, esi
  [0x89, 0xd1], // mov ecx, edx
  [0x0f, 0xa2], // cpuid
  [0x89, 0x07], // mov [rdi], eax
  [0x89, 0x5f, 0x04], // mov [rdi+4], ebx
  [0x89, 0x4f, 0x08], // mov [rdi+8], ecx
  [0x89, 0x57, 0x0c], // mov [rdi+12], edx
  [0x5b], // pop rbx
  [0xc3], // ret
].flat();

const XGETBV_CODE = [
  [0x31, 0xc9], // xor ecx, ecx
  [0x0f, 0x01, 0xd0], // xgetbv
  [0x89, 0x07], // mov [rdi], eax
  [0xc3], // ret
].flat();

export function linuxCalls(koffi: Koffi): HostCalls {
  const library = koffi.load(null); // the process itself, which holds the C library
  const mmap = library.func("int64 mmap(int64, int64, int, int, int, int64)");
  const mremap = library.func("int64 mremap(int64, int64, int64, int, int64)");
  const munmap = library.func("int munmap(int64, int64)");
  const mprotect = library.func("int mprotect(int64, int64, int)");
  const madvise = library.func("int madvise(int64, int64, int)");
  const syscall = library.func("int64 syscall(int64, int64, int64)");
  const schedSetAffinity = library.func("int sched_setaffinity(int, int64, uint8_t *)");
  const schedGetAffinity = library.func("int sched_getaffinity(int, int64, _Out_ uint8_t *)");
  const fixed = (at: number | undefined): number => (at === undefined ? 0 : MAP_FIXED);
  return {
    pageBytes: PAGE_BYTES,
    cpuidCode: Uint8Array.from(CPUID_CODE),
    xgetbvCode: Uint8Array.from(XGETBV_CODE),
    map: (bytes, at) =>
      mmap(at ?? 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed(at), -1, 0),
    mapFile: (descriptor, offset, bytes, writable, at) => {
      const access = writable ? protections.write : protections.read;
      return mmap(at ?? 0, bytes, access, (writable ? MAP_SHARED : MAP_PRIVATE) | fixed(at), descriptor, offset);
    },
    moveOver: (from, bytes, to) => mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) === to,
    unmap: (address, bytes) => void munmap(address, bytes),
    protect: (address, bytes, access) => mprotect(address, bytes, protections[access]) === 0,
    adviseHugePages: (address, bytes, on) => void madvise(address, bytes, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE),
    adviseWillNeed: (address, bytes) => void madvise(address, bytes, MADV_WILLNEED),
    populate: (address, bytes) => void madvise(address, bytes, MADV_POPULATE_READ),
    discard: (address, bytes) => void madvise(address, bytes, MADV_DONTNEED),
    requestTiles: () => syscall(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) === 0,
    pinThread(index) {
      const mask = new Uint8Array(CORES_MAX / 8);
      if (schedGetAffinity(CALLING_THREAD, mask.byteLength, mask) < 0) return false;
      const cores = Array.from({ length: CORES_MAX }, (_, core) => core).filter(
        (core) => mask[core >> 3] & (1 << (core & 7)),
      );
      const core = cores[index % cores.length];
      mask.fill(0)[core >> 3] = 1 << (core & 7);
      return schedSetAffinity(CALLING_THREAD, mask.byteLength, mask) === 0;
    },
  };
}
