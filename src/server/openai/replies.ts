// Runs the replies of one API request, one after the other (each next one finds the prompt in the cache), and adds up
// what they used. Both completion routes stream from it and collect from it. Not here: the JSON that clients see.
import { sum } from "../../base/collections.ts";
import type { ReplyEvent, TokenLogprob, Usage } from "../../chat/types.ts";

/** The start of one reply: an index for the client, and the reply's events. */
export interface ReplyRun {
  readonly index: number;
  readonly start: () => AsyncIterable<ReplyEvent>;
}

export interface IndexedEvent {
  readonly index: number;
  readonly event: ReplyEvent;
}

export interface CollectedReply {
  readonly index: number;
  readonly text: string;
  readonly ids: readonly number[];
  readonly logprobs: readonly TokenLogprob[];
  readonly finishReason: "stop" | "length";
  readonly usage: Usage;
}

/** The events of all runs in order. */
export async function* runReplies(runs: readonly ReplyRun[]): AsyncGenerator<IndexedEvent> {
  for (const { index, start } of runs) {
    for await (const event of start()) yield { index, event };
  }
}

/** Each run's whole reply. */
export async function collectReplies(runs: readonly ReplyRun[]): Promise<CollectedReply[]> {
  const replies: CollectedReply[] = [];
  for (const { index, start } of runs) {
    let text = "";
    const logprobs: TokenLogprob[] = [];
    for await (const event of start()) {
      if (event.type === "text-delta") {
        text += event.text;
        logprobs.push(...(event.logprobs ?? []));
      } else if (event.type === "end") {
        const { ids, finishReason, usage } = event;
        replies.push({ index, text, ids, logprobs, finishReason, usage });
      }
    }
  }
  return replies;
}

/**
 * Usage of a request as OpenAI counts it: each prompt once however many replies it got (`promptOf` tells which prompt a
 * reply's index belongs to), completions summed.
 */
export function sumUsage(
  replies: readonly { readonly index: number; readonly usage: Usage }[],
  promptOf: (index: number) => number = () => 0,
) {
  const firsts = [...new Map(replies.toReversed().map((reply) => [promptOf(reply.index), reply.usage])).values()];
  const promptTokens = sum(firsts.map((usage) => usage.promptTokens));
  const completionTokens = sum(replies.map((reply) => reply.usage.completionTokens));
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: sum(firsts.map((usage) => usage.cachedTokens)) },
  };
}
