// Products by a weight: the class of the program (decode or prompt), which depends on bounds alone, chooses.
import { type Tensor, bound } from "../../graph/index.ts";
import { lowerDecodeLinear } from "./lower-decode.ts";
import { lowerPromptLinear } from "./lower-prompt.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";

export function lowerLinear(node: Tensor, lowering: Lowering): void {
  const lower = bound(node.shape[0]) <= DECODE_ROWS ? lowerDecodeLinear : lowerPromptLinear;
  lower(node, lowering);
}
