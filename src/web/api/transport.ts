// How the page's requests reach what answers them: the server that gave the page, or what another entry of the page puts
// in its place (local/: the server's own code in a worker).

/** As fetch, for paths of the API. */
export type Transport = (path: string, request: RequestInit) => Promise<Response>;

let transport: Transport = (path, request) => fetch(path, request);

export const send: Transport = (path, request) => transport(path, request);

/** Sends all requests from now on another way. */
export function sendThrough(other: Transport): void {
  transport = other;
}
