// The model that ships with the program, so that the first start needs no download: stories260K (MIT, karpathy's
// llama2.c), which tells small English stories. It is always on the model list and cannot be removed.
import { fileURLToPath } from "node:url";

export const builtInModel = {
  name: "stories260k",
  // two levels above this file in the sources (src/store) and in the published package (dist/store)
  path: fileURLToPath(new URL("../../models/stories260K.gguf", import.meta.url)),
} as const;
