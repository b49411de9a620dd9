// The layer's edge: the kernel language and its emitters.
export * from "./builder.ts";
export * from "./interpret.ts";
export * from "./ir.ts";
export * from "./values.ts";
export { emitModule } from "./wasm/emit.ts";
export * from "./wasm/host.ts";
export * from "./math.ts";
export { emitCode, emitListing } from "./x64/emit.ts";
export * from "./x64/machines.ts";
export { codeSource } from "./x64/source.ts";
