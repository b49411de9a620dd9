// A server that speaks src/server/api-types.ts with a scripted model and keeps conversations in memory: what the page is
// tested against, with no model and no data folder. Also runs alone: `node test/web/mock-server.ts [PORT]` after a build.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, resolve } from "node:path";
import type {
  ApiError,
  Conversation,
  ConversationChange,
  ConversationExport,
  ConversationMessage,
  ConversationSummary,
  LoadEvent,
  ModelEntry,
  NewConversation,
  ReplyRequest,
  ReplyStreamEvent,
  RunDetails,
  RunMetric,
  Settings,
} from "../../src/server/api-types.ts";
import { startReply, type MockReply } from "./mock-replies.ts";
import { scriptFor } from "./mock-texts.ts";

export interface MockServer {
  readonly address: string;
  readonly conversations: Map<string, Conversation>;
  /** Requests that came, as "METHOD /path". */
  readonly requests: string[];
  settings: Settings;
  models: ModelEntry[];
  defaultModel: string | null;
  /** Runs of training, by name. */
  readonly runs: Map<string, { details: RunDetails; metrics: RunMetric[] }>;
  /** While set, every API request is answered with it. */
  failure: { readonly status: number; readonly error: ApiError } | undefined;
  /** Cuts the streams that are open, as a lost network does; replies run on. */
  cutStreams(): void;
  close(): Promise<void>;
}

const PAGE = resolve(import.meta.dirname, "../../dist/web");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const info = {
  family: "qwen2",
  parameters: 1_543_714_304,
  window: 8192,
  trainedWindow: 32768,
  memoryBytes: 1_400_000_000,
  tier: "wasm-relaxed",
  threads: 4,
  template: "file",
  loadMs: 900,
} as const;

export const mockModels: readonly ModelEntry[] = [
  { id: "stories260K", path: "models/stories260K.gguf", bytes: 1_050_000, builtIn: true, state: "unloaded" },
  {
    id: "Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M",
    path: "/models/q.gguf",
    bytes: 986_048_768,
    builtIn: false,
    state: "loaded",
    info,
  },
  {
    id: "google/gemma-3-270m-it-GGUF:Q8_0",
    path: "/models/g.gguf",
    bytes: 291_546_048,
    builtIn: false,
    state: "unloaded",
  },
  { id: "old/gone-7B", path: "/models/gone.gguf", bytes: null, builtIn: false, state: "unloaded" },
];

export async function startMockServer(port = 0, pageFolder = PAGE): Promise<MockServer> {
  const running = new Map<string, MockReply>();
  const open = new Set<ServerResponse>();
  let count = 0;
  const nextId = (kind: string): string => `${kind}${++count}`;

  const state: MockServer = {
    address: "",
    conversations: new Map(),
    requests: [],
    settings: {},
    models: [...mockModels],
    defaultModel: "Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M",
    runs: new Map(),
    failure: undefined,
    cutStreams: () => {
      for (const response of open) response.destroy();
    },
    close: async () => {
      for (const reply of running.values()) reply.stop();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };

  const summary = (id: string): ConversationSummary => {
    const { messages: _, ...rest } = state.conversations.get(id)!;
    return { ...rest, replying: running.has(id) };
  };
  const change = (id: string, part: Partial<Conversation>): void => {
    state.conversations.set(id, { ...state.conversations.get(id)!, updatedAt: Date.now(), ...part });
  };
  const store = (id: string, message: ConversationMessage): void => {
    const conversation = state.conversations.get(id);
    if (conversation === undefined) return; // deleted meanwhile
    const others = conversation.messages.filter((one) => one.id !== message.id);
    change(id, { messages: [...others, message], head: message.id });
  };

  function streamTo(response: ServerResponse): (event: LoadEvent | ReplyStreamEvent, last: boolean) => void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": ping\n\n");
    open.add(response);
    response.on("close", () => open.delete(response));
    return (event, last) => {
      if (!response.destroyed) response.write(`data: ${JSON.stringify(event)}\n\n`);
      if (last) response.end();
    };
  }
  const hear = (reply: MockReply, response: ServerResponse): void => {
    const write = streamTo(response);
    reply.listen((event) => write(event, event.type === "end" || event.type === "error"));
  };

  function reply(id: string, body: ReplyRequest, response: ServerResponse): void {
    const at = Date.now();
    if (running.has(id)) return fail(response, 409, "reply_running", "A reply is being written.");
    let user: ConversationMessage | undefined;
    if (body.content !== undefined) {
      user = {
        id: nextId("m"),
        parent: body.parent,
        role: "user",
        content: body.content,
        createdAt: at,
        status: "complete",
      };
      store(id, user);
      if (state.conversations.get(id)!.title === "") change(id, { title: body.content.slice(0, 40) });
    }
    const parent = user?.id ?? body.parent;
    const asked = state.conversations.get(id)!.messages.find((one) => one.id === parent);
    const message: ConversationMessage = {
      id: nextId("m"),
      parent,
      role: "assistant",
      content: "",
      createdAt: at,
      status: "writing",
    };
    const started = startReply({
      script: scriptFor(asked?.content ?? ""),
      message,
      user,
      model: state.conversations.get(id)!.model ?? state.defaultModel ?? "",
      summary: () => summary(id),
      store: (one) => store(id, one),
      end: () => running.delete(id),
    });
    running.set(id, started);
    hear(started, response);
  }

  async function load(model: string, response: ServerResponse): Promise<void> {
    const write = streamTo(response);
    const entry = state.models.find(({ id }) => id === model)!;
    const total = entry.bytes ?? 0;
    for (let part = 0; part <= 10; part++) {
      write({ type: "load", progress: { label: "load", done: (total / 10) * part, total, unit: "bytes" } }, false);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    const loaded: ModelEntry = { ...entry, state: "loaded", info };
    state.models = state.models.map((one) => (one.id === model ? loaded : { ...one, state: "unloaded" }));
    write({ type: "loaded", model: loaded }, true);
  }

  function sendRuns(name: string, action: string, after: string | null, response: ServerResponse): void {
    const run = state.runs.get(name);
    if (name === "") {
      return send(response, { runs: [...state.runs.values()].map(({ details }) => details) });
    }
    if (run === undefined) return fail(response, 404, "not_found", "There is no such run.");
    if (action === "") return send(response, run.details);
    if (action === "report") return send(response, "a report");
    const metrics = run.metrics.slice(Number(after ?? 0));
    return send(response, { metrics, next: String(run.metrics.length), isWhole: after === null });
  }

  const list = (parameters: URLSearchParams): object => {
    const query = (parameters.get("query") ?? "").toLowerCase();
    const found = [...state.conversations.values()].flatMap((one) => {
      const text = one.messages.find(({ content }) => content.toLowerCase().includes(query))?.content;
      if (query === "" || one.title.toLowerCase().includes(query)) return [summary(one.id)];
      return text === undefined ? [] : [{ ...summary(one.id), match: text.slice(0, 80) }];
    });
    found.sort((a, b) => b.updatedAt - a.updatedAt);
    const from = Number(parameters.get("before") ?? 0);
    const to = from + Number(parameters.get("limit") ?? 50);
    return { conversations: found.slice(from, to), next: to < found.length ? String(to) : null };
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://mock");
    if (!url.pathname.startsWith("/api/")) return await sendFile(url.pathname, pageFolder, response);
    state.requests.push(`${request.method} ${url.pathname}`);
    if (state.failure !== undefined) return send(response, { error: state.failure.error }, state.failure.status);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body: unknown = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
    const [, , area, id = "", action = ""] = url.pathname.split("/");
    const route = `${request.method} ${area}`;
    if (route === "GET server") {
      return send(response, {
        name: "liang",
        version: "0.1.0",
        defaultModel: state.defaultModel,
        dataFolder: "/data",
        trains: true,
      });
    }
    if (route === "GET runs") return sendRuns(decodeURIComponent(id), action, url.searchParams.get("after"), response);
    if (route === "GET models") {
      return send(response, {
        models: state.models,
        current: state.models.find((one) => one.state === "loaded")?.id ?? null,
      });
    }
    if (route === "POST models") return await load((body as { model: string }).model, response);
    if (route === "GET settings") return send(response, state.settings);
    if (route === "PUT settings") return send(response, (state.settings = body as Settings));
    if (area !== "conversations") return fail(response, 404, "not_found", "There is no such route.");
    if (route === "GET conversations" && id === "") return send(response, list(url.searchParams));
    if (route === "GET conversations" && id === "export")
      return send(response, exported([...state.conversations.values()]));
    if (request.method === "POST" && id === "import") {
      const { conversations } = body as ConversationExport;
      const ids = conversations.map((one) => {
        const fresh = nextId("c");
        state.conversations.set(fresh, { ...one, id: fresh, replying: false });
        return fresh;
      });
      return send(response, { ids });
    }
    if (request.method === "POST" && id === "") {
      const { title = "", model = null, settings = state.settings } = body as NewConversation;
      const at = Date.now();
      const fresh: Conversation = {
        id: nextId("c"),
        title,
        model,
        settings,
        head: null,
        createdAt: at,
        updatedAt: at,
        replying: false,
        messages: [],
      };
      state.conversations.set(fresh.id, fresh);
      return send(response, fresh);
    }
    const conversation = state.conversations.get(id);
    if (conversation === undefined) return fail(response, 404, "not_found", "There is no such conversation.");
    if (request.method === "POST" && action === "reply") return reply(id, body as ReplyRequest, response);
    if (request.method === "GET" && action === "reply") {
      const live = running.get(id);
      return live === undefined ? fail(response, 404, "not_found", "No reply runs.") : hear(live, response);
    }
    if (request.method === "POST" && action === "stop") {
      running.get(id)?.stop();
      return send(response, { stopped: running.has(id) });
    }
    if (action === "export") return send(response, exported([conversation]));
    if (request.method === "GET") return send(response, { ...conversation, replying: running.has(id) });
    if (request.method === "DELETE") {
      state.conversations.delete(id);
      return send(response, { deleted: true });
    }
    const { tip = false, ...part } = body as ConversationChange;
    change(id, part);
    if (tip && part.head !== undefined) change(id, { head: newestUnder(conversation.messages, part.head) });
    return send(response, summary(id));
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else fail(response, 500, "internal_error", String(error));
    });
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return Object.assign(state, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const exported = (conversations: readonly Conversation[]): ConversationExport => ({
  format: "liang-conversations",
  version: 1,
  exportedAt: Date.now(),
  conversations,
});

function newestUnder(messages: readonly ConversationMessage[], id: string): string {
  const next = messages.findLast(({ parent }) => parent === id);
  return next === undefined ? id : newestUnder(messages, next.id);
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, { error: { message, type: "invalid_request_error", code, param: null } }, status);
}

async function sendFile(path: string, folder: string, response: ServerResponse): Promise<void> {
  const file = join(folder, normalize(path === "/" ? "/index.html" : path));
  try {
    const bytes = await readFile(file);
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

if (import.meta.main) {
  const { address } = await startMockServer(Number(process.argv[2] ?? 8090));
  console.log(address);
}
