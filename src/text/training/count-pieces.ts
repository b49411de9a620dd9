// Counts the distinct pieces of files on several threads, or of texts on this one. Each thread reads chunks as they are
// handed out and keeps a table; the tables are added up at the end. Sums do not depend on who read what; the order of
// pieces does, and nobody looks at it.
import { LiangError } from "../../base/errors.ts";
import type { OnProgress } from "../../base/progress.ts";
import { machineFacts, startWorker, Worker, type WorkerHandle } from "#platform";
import { type Chunk, chunksOf, readChunk } from "./chunks.ts";
import type { CountJob, CountReply } from "./count-worker.ts";
import { PieceCounts } from "./piece-counts.ts";
import { PieceReader, type Pipeline } from "./piece-reader.ts";

/** What to train on. Files are streamed; texts are tokenised one by one, each from its own start. */
export type TrainingTexts =
  { readonly files: readonly string[] } | { readonly texts: Iterable<string> | AsyncIterable<string> };

export interface CountOptions {
  /** Default: as many as the machine runs at once. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface Counted {
  readonly pieces: PieceCounts;
  /** UTF-8 bytes read. */
  readonly bytes: number;
}

/** Throws NotFoundError, FormatError for files that are no text, and the signal's reason. */
export async function countPieces(
  source: TrainingTexts,
  pipeline: Pipeline,
  options: CountOptions = {},
): Promise<Counted> {
  if ("texts" in source) return await countTexts(source.texts, new PieceReader(pipeline), options);
  const chunks = await chunksOf(source.files);
  const threads = Math.min(options.threads ?? (await machineFacts()).cores, chunks.length);
  const bytes = chunks.reduce((sum, { start, end }) => sum + end - start, 0);
  const report = (done: number): void => options.onProgress?.({ label: "count", done, total: bytes, unit: "bytes" });
  report(0);
  const count = threads > 1 ? countOnThreads : countHere;
  return { pieces: await count(chunks, pipeline, threads, report, options.signal), bytes };
}

async function countTexts(
  texts: Iterable<string> | AsyncIterable<string>,
  reader: PieceReader,
  { signal, onProgress }: CountOptions,
): Promise<Counted> {
  const pieces = new PieceCounts();
  const encoder = new TextEncoder();
  let bytes = 0;
  for await (const text of texts) {
    signal?.throwIfAborted();
    reader.count(text.toWellFormed(), pieces);
    bytes += encoder.encode(text).length;
    onProgress?.({ label: "count", done: bytes, total: undefined, unit: "bytes" });
  }
  return { pieces, bytes };
}

async function countHere(
  chunks: readonly Chunk[],
  pipeline: Pipeline,
  _threads: number,
  report: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<PieceCounts> {
  const reader = new PieceReader(pipeline);
  const pieces = new PieceCounts();
  let done = 0;
  for (const chunk of chunks) {
    signal?.throwIfAborted();
    reader.count(await readChunk(chunk, reader.findCut), pieces);
    report((done += chunk.end - chunk.start));
  }
  return pieces;
}

async function countOnThreads(
  chunks: readonly Chunk[],
  pipeline: Pipeline,
  threads: number,
  report: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<PieceCounts> {
  const module = new Worker(new URL("./count-worker.ts", import.meta.url), { type: "module" });
  const pieces = new PieceCounts();
  const workers: WorkerHandle[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  let next = 0;
  let done = 0;
  let working = threads;
  const receive = (worker: WorkerHandle, reply: CountReply): void => {
    if (reply.kind === "failed") reject(new LiangError(reply.code, reply.message, {}, reply.exitCode));
    else if (reply.kind === "pieces") {
      pieces.addAll(reply.data);
      if (--working === 0) resolve();
    } else {
      report((done += reply.bytes));
      worker.post((next < chunks.length ? { chunk: chunks[next++] } : "end") satisfies CountJob);
    }
  };
  try {
    for (let i = 0; i < threads; i++) {
      const worker = startWorker(module, pipeline, { name: `count ${i}` });
      workers.push(worker);
      worker.onFailure(reject);
      worker.onMessage((message) => receive(worker, message as CountReply));
    }
    await promise;
  } finally {
    signal?.removeEventListener("abort", abort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return pieces;
}
