// What the page and its worker say to each other: requests as to a server, their answers in pieces, models opened from
// files, and what is to be kept. Types only.
import type { MemoryChange, MemoryContents } from "../../store/memory.ts";

/** A model's file on the page's host. */
export interface HostedFile {
  readonly name: string;
  readonly address: string;
}

/** The worker's data, its first message. */
export interface Begin {
  /** What was kept of earlier visits. */
  readonly contents: MemoryContents;
  /** The models that ship with the page; the first greets. */
  readonly builtIn: readonly HostedFile[];
}

export type ToWorker =
  | {
      readonly type: "request";
      readonly id: number;
      /** "/api/models" */
      readonly path: string;
      readonly method: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string | undefined;
    }
  /** The page no longer reads the answer. */
  | { readonly type: "leave"; readonly id: number }
  /** A model's files: one, or all parts, or all of a folder. */
  | { readonly type: "open"; readonly id: number; readonly files: readonly File[] };

export type ToPage =
  | { readonly type: "head"; readonly id: number; readonly status: number; readonly contentType: string }
  | { readonly type: "chunk"; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The answer is whole; with a reason: it broke off. */
  | { readonly type: "end"; readonly id: number; readonly reason?: string }
  /** The name under which files are on the model list now. */
  | { readonly type: "opened"; readonly id: number; readonly name: string }
  | { readonly type: "change"; readonly change: MemoryChange }
  /** Something failed inside; for the browser's console. */
  | { readonly type: "log"; readonly text: string };
