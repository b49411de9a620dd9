// The native part for Node, by koffi: which system's calls (native-linux.ts) there are, regions that are released once,
// code that is written and then made executable. The only file that loads koffi. Anything missing is a reason, told once
// and kept: `native()` never throws.
import { closeSync, fstatSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { LiangError, MemoryError, ShapeError } from "../../base/errors.ts";
import {
  HUGE_PAGE_BYTES,
  type MapFileOptions,
  type Native,
  type NativeCode,
  type NativeFunction,
  type NativeRefusal,
  type NativeRegion,
} from "../native.ts";
import type { Platform } from "../platform.ts";
import { readCpuFeatures } from "./cpu-features.ts";
import { hostError } from "./host-error.ts";
import { type HostCalls, type Koffi, linuxCalls } from "./native-linux.ts";

/** Systems with machine code of ours, by `process.platform` and `process.arch`. */
const hosts: Readonly<Record<string, (koffi: Koffi) => HostCalls>> = {
  "linux x64": linuxCalls,
};

/** Pages of a file that are copied at once. */
const OWN_BYTES = 64 << 20;
const FUNCTION = "void (int64, int64, int64, int64)";

let found: Native | NativeRefusal | undefined;

export const native: Platform["native"] = () => {
  found ??= openNative(process.platform, process.arch, () => createRequire(import.meta.url)("koffi") as Koffi);
  return found;
};

/** Tries everything once: a call into machine code that reads what the processor has. */
export function openNative(os: string, architecture: string, loadKoffi: () => Koffi): Native | NativeRefusal {
  const host = `${os} ${architecture}`;
  if (!Object.hasOwn(hosts, host)) return { reason: `There is no machine code of ours for ${host}.` };
  const refusal = (what: string, error: unknown): NativeRefusal => {
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { reason: error instanceof LiangError ? error.message : `${what}: ${line}`, failed: true };
  };
  let koffi: Koffi;
  try {
    koffi = loadKoffi();
  } catch (error) {
    return refusal("koffi, an optional package, does not load", error);
  }
  try {
    return nativeOf(koffi, hosts[host](koffi));
  } catch (error) {
    return refusal("Machine code cannot be called here", error);
  }
}

/** Throws LiangError when the system allows no executable memory. */
function nativeOf(koffi: Koffi, calls: HostCalls): Native {
  const { pageBytes } = calls;
  const pages = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes;
  const prototype = koffi.proto(FUNCTION); // all kernels have one signature
  const callable = (address: number): NativeFunction => koffi.decode(BigInt(address), prototype) as NativeFunction;
  const addressOf = (buffer: SharedArrayBuffer): number => Number(koffi.address(buffer));

  const makeExecutable = (code: Uint8Array): NativeCode => {
    const bytes = pages(Math.max(1, code.byteLength));
    const address = mapped(calls.map(bytes), "Machine code", bytes);
    new Uint8Array(koffi.view(BigInt(address), bytes)).set(code);
    if (!calls.protect(address, bytes, "execute")) {
      const errno = koffi.errno();
      calls.unmap(address, bytes);
      throw new LiangError("native_refused", `The system refuses executable memory (error ${errno}).`);
    }
    const release = once(() => calls.unmap(address, bytes));
    return { address, bytes, release, [Symbol.dispose]: release };
  };

  const regionOf = (address: number, bytes: number, free: () => void): NativeRegion => {
    let buffer: ArrayBuffer | undefined;
    const release = once(() => {
      buffer?.transfer(0); // detaches all views of it
      free();
    });
    return {
      address,
      bytes,
      get view() {
        buffer ??= koffi.view(BigInt(address), bytes);
        return new Uint8Array(buffer);
      },
      release,
      [Symbol.dispose]: release,
    };
  };

  return {
    features: featuresOf(makeExecutable, callable, addressOf, calls),
    pageBytes,
    allocate(asked, { hugePages = false } = {}) {
      if (!(asked > 0)) throw new ShapeError("native memory", `${asked} bytes`, "more than 0");
      const bytes = pages(asked);
      const spare = hugePages ? HUGE_PAGE_BYTES : 0; // to begin at a multiple of a huge page
      const start = mapped(calls.map(bytes + spare), "Native memory", bytes);
      if (!hugePages) return regionOf(start, bytes, () => calls.unmap(start, bytes));
      const address = Math.ceil(start / spare) * spare;
      calls.adviseHugePages(address, bytes, true);
      return regionOf(address, bytes, () => calls.unmap(start, bytes + spare));
    },
    mapFile: (path, options = {}) => mapFile(path, options, calls, () => koffi.errno(), regionOf),
    preferHugePages(address, bytes) {
      const first = Math.ceil(address / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
      const end = Math.floor((address + bytes) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
      if (first < end) calls.adviseHugePages(first, end - first, true);
    },
    willNeed(address, bytes) {
      const first = Math.floor(address / pageBytes) * pageBytes;
      calls.adviseWillNeed(first, pages(address + bytes - first));
    },
    populate(address, bytes) {
      const first = Math.floor(address / pageBytes) * pageBytes;
      calls.populate(first, pages(address + bytes - first));
    },
    ownPages(address, bytes) {
      for (let done = 0; done < bytes; done += OWN_BYTES) {
        const length = Math.min(OWN_BYTES, bytes - done);
        const copy = mapped(calls.map(length), "Native memory", length);
        const [from, to] = [address + done, copy].map((at) => koffi.view(BigInt(at), length));
        new Uint8Array(to).set(new Uint8Array(from));
        for (const view of [from, to]) view.transfer(0); // detaches them
        if (calls.moveOver(copy, length, address + done)) continue;
        calls.unmap(copy, length);
        throw new LiangError("native_refused", `The system refuses to move memory (error ${koffi.errno()}).`);
      }
    },
    discard(address, bytes) {
      const first = pages(address);
      const end = Math.floor((address + bytes) / pageBytes) * pageBytes;
      if (end > first) calls.discard(first, end - first);
    },
    protect(address, bytes, access) {
      if (address % pageBytes !== 0 || bytes % pageBytes !== 0)
        throw new ShapeError("protected memory", [address, bytes], `multiples of ${pageBytes}`);
      if (!calls.protect(address, bytes, access))
        throw new LiangError("native_refused", `The system refuses to protect memory (error ${koffi.errno()}).`);
    },
    addressOf,
    makeExecutable,
    callable,
    requestTiles: () => calls.requestTiles(),
    pinThread: (index) => calls.pinThread(index),
  };
}

function mapFile(
  path: string,
  { offset = 0, bytes: asked, writable = false, hugePages, at }: MapFileOptions,
  calls: HostCalls,
  errno: () => number,
  regionOf: (address: number, bytes: number, free: () => void) => NativeRegion,
): NativeRegion {
  let descriptor: number;
  try {
    descriptor = openSync(path, writable ? "r+" : "r");
  } catch (error) {
    hostError("read", path, error);
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = asked ?? size - offset;
    if (offset % calls.pageBytes !== 0 || offset < 0 || !(bytes > 0) || offset + bytes > size)
      throw new ShapeError(path, `${bytes} bytes from ${offset}`, `a range of its ${size} bytes that begins a page`);
    if (at !== undefined && (at % calls.pageBytes !== 0 || bytes % calls.pageBytes !== 0))
      throw new ShapeError(path, `${bytes} bytes over ${at}`, `multiples of ${calls.pageBytes}`);
    // an address range of our own, in which the file begins at a multiple of a huge page
    const range = at === undefined && hugePages === true ? bytes + HUGE_PAGE_BYTES : 0;
    const start = range === 0 ? 0 : mapped(calls.map(range), `Mapping ${path}`, bytes);
    const place = range === 0 ? at : Math.ceil(start / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    const address = calls.mapFile(descriptor, offset, bytes, writable, place);
    if (address <= 0) {
      const code = errno();
      if (range > 0) calls.unmap(start, range);
      if (at !== undefined) calls.map(bytes, at); // the system may have unmapped what was there
      throw new LiangError("native_refused", `The system refuses to map ${bytes} bytes of ${path} (error ${code}).`);
    }
    if (hugePages !== undefined) calls.adviseHugePages(address, bytes, hugePages);
    if (range > 0) return regionOf(address, bytes, () => calls.unmap(start, range));
    // memory that somebody else reserved is theirs to unmap: a hole in it could be given to another
    const free = at === undefined ? () => calls.unmap(address, bytes) : () => void calls.map(bytes, at);
    return regionOf(address, bytes, free);
  } finally {
    closeSync(descriptor);
  }
}

function mapped(address: number, what: string, bytes: number): number {
  if (address > 0) return address;
  throw new MemoryError(what, bytes, 0, { hint: "The system gives no address range of that size." });
}

/** Runs the code that reads CPUID and XCR0: whether machine code can be called at all shows here. */
function featuresOf(
  makeExecutable: (code: Uint8Array) => NativeCode,
  callable: (address: number) => NativeFunction,
  addressOf: (buffer: SharedArrayBuffer) => number,
  { cpuidCode, xgetbvCode }: HostCalls,
): Native["features"] {
  using cpuid = makeExecutable(cpuidCode);
  using xgetbv = makeExecutable(xgetbvCode);
  const words = new Uint32Array(new SharedArrayBuffer(16));
  const out = addressOf(words.buffer);
  const run = ({ address }: NativeCode, leaf = 0, subleaf = 0): Uint32Array => {
    callable(address)(out, leaf, subleaf, 0);
    return words.slice();
  };
  return readCpuFeatures(
    (leaf, subleaf) => run(cpuid, leaf, subleaf),
    () => run(xgetbv)[0],
  );
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
