// The number formats, one row each; a format's own file holds its layout and its plain reference encode/decode.
// Not here: fast kernels (device/), which formats a file may hold (format/).

/** Names of the formats, as GGUF's types in lower case. */
export type FormatName =
  "f64" | "f32" | "f16" | "bf16" | "q4_0" | "q4_1" | "q5_0" | "q5_1" | "q8_0" | "q4_k" | "q5_k" | "q6_k";
