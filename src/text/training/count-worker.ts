// A thread that counts pieces of chunks: asks for one by saying that it is done with the last, and hands over its table
// at the end. count-pieces.ts starts it.
import { LiangError } from "../../base/errors.ts";
import { currentWorker } from "#platform";
import { type Chunk, readChunk } from "./chunks.ts";
import { PieceCounts, type PieceCountsData } from "./piece-counts.ts";
import { PieceReader, type Pipeline } from "./piece-reader.ts";

export type CountJob = { readonly chunk: Chunk } | "end";
export type CountReply =
  | { readonly kind: "next"; readonly bytes: number }
  | { readonly kind: "pieces"; readonly data: PieceCountsData }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly exitCode: number };

const starter = currentWorker();
if (starter !== undefined) {
  const reader = new PieceReader(starter.data as Pipeline);
  const pieces = new PieceCounts();
  const post = (reply: CountReply, ...transfer: ArrayBuffer[]): void => starter.post(reply, transfer);
  starter.onMessage((message) => {
    const job = message as CountJob;
    if (job === "end") {
      const data = pieces.data();
      post({ kind: "pieces", data }, data.units.buffer, data.starts.buffer, data.counts.buffer);
    } else void count(job.chunk);
  });
  const count = async (chunk: Chunk): Promise<void> => {
    try {
      reader.count(await readChunk(chunk, reader.findCut), pieces);
      post({ kind: "next", bytes: chunk.end - chunk.start });
    } catch (error) {
      if (!(error instanceof LiangError)) throw error;
      post({ kind: "failed", code: error.code, message: error.message, exitCode: error.exitCode });
    }
  };
  post({ kind: "next", bytes: 0 });
}
