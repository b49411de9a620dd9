// The server as a function from Request to Response: guards first, then one group of routes a file. It listens to nothing
// (serve.ts does) and owns the models in memory and the running replies until `close`.
import { Hono } from "hono";
import type { RunReader, StaticFolder, Storage } from "../store/index.ts";
import type { ServerInfo } from "./api-types.ts";
import { errorResponse, HttpError, reportError } from "./errors.ts";
import { API_PATHS, guardKey, guardOrigin, hasKey, type Access } from "./guard.ts";
import { createModelPool, type LoadModel, type ModelCatalogue } from "./model-pool.ts";
import { applyTemplate, completeChat } from "./openai/chat.ts";
import { completeText } from "./openai/completions.ts";
import { embedInputs } from "./openai/embeddings.ts";
import { asModelNotFound, decodeId, getModel, listModels } from "./openai/models.ts";
import { embed as ollamaEmbed, embedPrompt } from "./ollama/embed.ts";
import { detokenize, tokenize } from "./openai/tokens.ts";
import { conversationRoutes } from "./page/conversations.ts";
import * as pageModels from "./page/models.ts";
import { createReplyRunner } from "./page/replies.ts";
import { runRoutes } from "./page/runs.ts";
import { rerankDocuments } from "./rerank.ts";
import { securityHeaders, servePage } from "./static.ts";

export interface AppOptions {
  /** The model list (store's openModelList). */
  readonly models: ModelCatalogue;
  /** Loads a model's files (the door's load). */
  readonly load: LoadModel;
  readonly storage: Storage;
  /** The runs of training (store's openRunReader); missing where nothing is trained. */
  readonly runs?: RunReader;
  /** The built page. */
  readonly page: StaticFolder;
  /** Who may talk to it (accessFor). */
  readonly access: Access;
  readonly version: string;
  /** Shown on the page. */
  readonly dataFolder: string;
  /** Answers when no model is named. */
  readonly defaultModel?: string;
  /** Hears of every failure inside; nothing of it goes to clients. */
  readonly log: (error: unknown) => void;
}

export interface App {
  readonly fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  readonly access: Access;
  /** Stops replies and unloads; requests still open fail. */
  close(): Promise<void>;
}

/** Builds the app; nothing is loaded or listened to. */
export function createApp(options: AppOptions): App {
  const { access, storage, log } = options;
  const pool = createModelPool({
    catalogue: {
      list: () => options.models.list(),
      // One code for an unknown model on all routes.
      find: (name) => options.models.find(name).catch(asModelNotFound),
    },
    load: options.load,
    defaultModel: options.defaultModel,
  });
  const replies = createReplyRunner({ storage, pool, log });
  const app = new Hono();

  app.onError((error) => {
    reportError(error, log);
    return errorResponse(error);
  });
  app.use(securityHeaders());
  app.use(guardOrigin(access));
  if (access.key !== undefined) for (const path of API_PATHS) app.use(path, guardKey(access.key));

  app.get("/health", (c) => {
    const state = pool.state();
    const loading = state?.state === "loading";
    // A load balancer asks without the key; what is run here is not for everyone.
    return c.json({ status: "ok", ...(hasKey(c, access) ? { model: state?.name ?? null } : {}), loading });
  });

  app.get("/v1/models", () => listModels(pool.catalogue));
  // Ids hold slashes: the rest of the path is the id, whether its slashes are escaped or not.
  app.get("/v1/models/*", (c) =>
    getModel(pool.catalogue, decodeId(new URL(c.req.url).pathname.slice("/v1/models/".length))),
  );
  app.post("/v1/chat/completions", (c) => completeChat(c.req.raw, pool, log));
  app.post("/v1/completions", (c) => completeText(c.req.raw, pool, log));
  app.post("/v1/embeddings", (c) => embedInputs(c.req.raw, pool));
  for (const path of ["/v1/rerank", "/v2/rerank", "/rerank"]) app.post(path, (c) => rerankDocuments(c.req.raw, pool));
  app.post("/api/embed", (c) => ollamaEmbed(c.req.raw, pool, log));
  app.post("/api/embeddings", (c) => embedPrompt(c.req.raw, pool, log));
  app.post("/tokenize", (c) => tokenize(c.req.raw, pool));
  app.post("/detokenize", (c) => detokenize(c.req.raw, pool));
  app.post("/apply-template", (c) => applyTemplate(c.req.raw, pool));

  app.get("/api/server", async (c) =>
    c.json<ServerInfo>({
      name: "liang",
      version: options.version,
      defaultModel: (await pool.defaultName()) ?? null,
      dataFolder: options.dataFolder,
      trains: options.runs !== undefined,
    }),
  );
  app.get("/api/models", async (c) => c.json(await pageModels.listModels(pool)));
  app.post("/api/models/load", (c) => pageModels.loadModel(c.req.raw, pool, log));
  app.route("/", conversationRoutes({ storage, pool, replies, log }));
  if (options.runs !== undefined) app.route("/", runRoutes(options.runs));

  // Before the page: an unknown API address is an error, not the page.
  for (const path of API_PATHS) {
    app.all(path, (c) => {
      throw noRoute(c.req.method, c.req.path);
    });
  }
  app.use(servePage(options.page));
  app.notFound((c) => errorResponse(noRoute(c.req.method, c.req.path)));

  return {
    access,
    fetch: (request, bindings) => app.fetch(request, bindings),
    async close() {
      await replies.close();
      await pool.close();
    },
  };
}

function noRoute(method: string, path: string): HttpError {
  return new HttpError(404, "not_found", `There is no ${method} ${path} here.`);
}
