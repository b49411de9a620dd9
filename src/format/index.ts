// The layer's edge: model files in, model files out.
export { openModelFiles, type ModelFiles } from "./open-model-files.ts";
export type { SourceTensor, TensorSource } from "./tensor-source.ts";
export { type GgufFiles, openGguf, partName } from "./gguf-files.ts";
export { readGguf } from "./gguf-reader.ts";
export * from "./gguf-types.ts";
export { tensorBytes, type TensorToWrite, type GgufToWrite, writeGguf } from "./gguf-writer.ts";
export { type HfFiles, type HfTextFiles, openHfFolder } from "./hf-folder.ts";
export * from "./safetensors.ts";
export * from "./sentencepiece.ts";
export * from "./llama2c.ts";
export { parseTiktoken } from "./tiktoken.ts";
export { parseJson } from "./json.ts";
export type { ByteSink } from "./byte-writer.ts";
