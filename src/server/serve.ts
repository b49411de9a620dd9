// Listens: the app behind Node's HTTP server. By default on 127.0.0.1, and elsewhere only when the app asks for a key.
import { createAdaptorServer } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import { LiangError, UsageError } from "../base/errors.ts";
import type { App } from "./app.ts";
import { isLoopback } from "./guard.ts";

export interface ServeOptions {
  readonly app: App;
  /** 0: any that is free. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

export interface RunningServer extends AsyncDisposable {
  /** What to open in a browser, with the key after # where there is one. */
  readonly url: string;
  readonly port: number;
  /** Stops listening, cuts what is open, closes the app. */
  close(): Promise<void>;
}

const FAILURES: Readonly<Record<string, (host: string, port: number) => LiangError>> = {
  EADDRINUSE: (_, port) =>
    new LiangError("port_in_use", `Port ${port} is in use by another program.`, {
      hint: "Give another one with --port, or 0 for any.",
    }),
  EACCES: (_, port) =>
    new LiangError("port_refused", `Port ${port} may not be used.`, { hint: "Give one above 1023." }),
  EADDRNOTAVAIL: (host) => new LiangError("host_unknown", `${host} is no address of this machine.`),
  ENOTFOUND: (host) => new LiangError("host_unknown", `${host} is no address of this machine.`),
};

/** Starts listening. Throws UsageError (no key elsewhere than on loopback), LiangError "port_in_use" and such. */
export async function serve({ app, port, host = "127.0.0.1" }: ServeOptions): Promise<RunningServer> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`The port is ${port}, expected a whole number from 0 to 65535.`, { field: "port" });
  }
  if (!isLoopback(host) && app.access.key === undefined) {
    throw new UsageError(`Listening on ${host} needs an API key, for others can reach it.`, { field: "host" });
  }
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => {
      reject(FAILURES[error.code ?? ""]?.(host, port) ?? error);
    });
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  // 0.0.0.0 and :: mean every address; this machine's own is one to open.
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    if ("closeAllConnections" in server) server.closeAllConnections();
    await app.close();
    await closed;
  };
  return {
    url: `http://${name}:${actual}/${app.access.key === undefined ? "" : `#key=${app.access.key}`}`,
    port: actual,
    close,
    [Symbol.asyncDispose]: close,
  };
}
