// The server's edge.
export { createApp, type App, type AppOptions } from "./app.ts";
export { accessFor, isLoopback, type Access } from "./guard.ts";
export { serve, type RunningServer, type ServeOptions } from "./serve.ts";
export type { LoadModel, ModelCatalogue } from "./model-pool.ts";
