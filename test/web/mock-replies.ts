// The mock server's running replies: one a conversation, heard by any number of listeners, stoppable, as api-types.ts has it.
import type {
  ApiError,
  ConversationMessage,
  ConversationSummary,
  ReplyStreamEvent,
} from "../../src/server/api-types.ts";
import type { Script } from "./mock-texts.ts";

export interface MockReply {
  /** Hears "start" with what is written so far, then everything until the end. */
  listen(listener: (event: ReplyStreamEvent) => void): void;
  stop(): void;
}

interface Begin {
  readonly script: Script;
  readonly message: ConversationMessage;
  readonly user: ConversationMessage | undefined;
  readonly model: string;
  readonly summary: () => ConversationSummary;
  /** Keeps the message as it is now. */
  readonly store: (message: ConversationMessage) => void;
  readonly end: () => void;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function startReply({ script, message, user, model, summary, store, end }: Begin): MockReply {
  const listeners = new Set<(event: ReplyStreamEvent) => void>();
  const startedAt = Date.now();
  const stopping = new AbortController();
  let content = "";
  let firstTokenMs = 0;
  const tell = (event: ReplyStreamEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const now = (): ConversationMessage => ({ ...message, content, model, status: "writing" });

  async function run(): Promise<void> {
    await pause(30);
    if (script.loads === true) {
      for (let done = 0; done <= 10 && !stopping.signal.aborted; done++) {
        tell({ type: "load", progress: { label: "load", done: done * 98_600_000, total: 986_000_000, unit: "bytes" } });
        await pause(120);
      }
    }
    for (let done = 0; done < script.promptTokens && !stopping.signal.aborted; done += 128) {
      tell({ type: "prefill", done, total: script.promptTokens });
      await pause(Math.min(128, script.promptTokens));
    }
    firstTokenMs = Date.now() - startedAt;
    for (let at = 0; at < script.text.length && !stopping.signal.aborted; at += script.pieceCharacters) {
      const text = script.text.slice(at, at + script.pieceCharacters);
      content += text;
      tell({ type: "delta", text });
      if (script.pieceMs > 0 || at % (script.pieceCharacters * 20) === 0) await pause(script.pieceMs);
    }
    finish();
  }

  function finish(): void {
    if (script.failure !== undefined && !stopping.signal.aborted) {
      const error: ApiError = { type: "server_error", param: null, ...script.failure };
      const reply: ConversationMessage = { ...now(), status: "failed", error };
      store(reply);
      end();
      tell({ type: "error", error, conversation: summary(), reply });
      return;
    }
    const completionTokens = Math.ceil(content.length / 4);
    const seconds = (Date.now() - startedAt - firstTokenMs) / 1000 || 0.001;
    const reply: ConversationMessage = {
      ...now(),
      status: stopping.signal.aborted ? "stopped" : "complete",
      ...(!stopping.signal.aborted && { finishReason: script.finishReason ?? "stop" }),
      stats: {
        promptTokens: script.promptTokens,
        cachedTokens: Math.floor(script.promptTokens / 2),
        completionTokens,
        window: 8192,
        firstTokenMs,
        tokensPerSecond: completionTokens / seconds,
        seed: 42,
      },
    };
    store(reply);
    end();
    tell({ type: "end", conversation: summary(), reply });
  }

  store(now());
  void run();
  return {
    listen(listener) {
      listener({ type: "start", conversation: summary(), ...(user !== undefined && { user }), reply: now() });
      listeners.add(listener);
    },
    stop() {
      stopping.abort();
    },
  };
}
