// What a mixtral's experts are called, and how it routes: its own file and, for GGUF, llama's read them.
const PREFIX = "block_sparse_moe";
/** What its experts are called: w1 is the gate, w3 up, w2 down. */
export const mixtralNames = {
  router: `${PREFIX}.gate`,
  gate: `${PREFIX}.experts.*.w1`,
  up: `${PREFIX}.experts.*.w3`,
  down: `${PREFIX}.experts.*.w2`,
} as const;
export const mixtralRouting = { scores: "softmax", renormalised: true } as const;
