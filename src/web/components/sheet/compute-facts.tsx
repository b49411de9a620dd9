// Beside the model's name, quietly: what computes it and on how many threads, once it is in memory.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openStore } from "../../state/conversation.ts";
import { computeWords } from "../../state/model-words.ts";
import { modelEntry, modelStore } from "../../state/models.ts";

export function ComputeFacts(): ReactElement | null {
  const words = useWords();
  const state = useStore(modelStore, (value) => value);
  const wanted = useStore(openStore, ({ conversation }) => conversation?.model ?? null) ?? state.chosen;
  const info = modelEntry(state, wanted)?.info;
  if (info === undefined) return null;
  return <span className="compute-facts number">{computeWords(info, words)}</span>;
}
