// The part of the WebAssembly interface that Liang uses. TypeScript keeps these types with the browser's, which the
// program's own sources do not load.
declare namespace WebAssembly {
  // oxlint-disable-next-line typescript/no-extraneous-class -- the host declares it so
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    /** Sizes are in pages of 64 KiB. */
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    /** With 64-bit addresses, whose sizes are bigints. */
    constructor(descriptor: { initial: bigint; maximum: bigint; shared: boolean; address: "i64" });
    /** An ArrayBuffer where it is not shared; both are used alike. */
    readonly buffer: SharedArrayBuffer;
  }
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}
