// Adapters made in memory (adapter-cases.ts) as files on the disk, as PEFT and as llama.cpp's converter write them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSink } from "../../src/format/byte-writer.ts";
import type { GgufEntry } from "../../src/format/gguf-types.ts";
import { writeGguf } from "../../src/format/gguf-writer.ts";
import { writeSafetensors } from "../../src/format/safetensors.ts";
import type { MadeAdapter } from "./adapter-cases.ts";

interface Collected extends ByteSink {
  bytes(): Uint8Array;
}

function collect(): Collected {
  const pieces: Uint8Array[] = [];
  return {
    async append(piece) {
      pieces.push(piece.slice());
    },
    bytes: () => Buffer.concat(pieces),
  };
}

const tensorsOf = ({ tensors }: MadeAdapter) =>
  [...tensors].map(([name, { shape, values }]) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { name, shape, data: () => [bytes] };
  });

export async function writePeftFolder(folder: string, adapter: MadeAdapter): Promise<void> {
  await mkdir(folder, { recursive: true });
  const sink = collect();
  const tensors = tensorsOf(adapter).map((tensor) => ({ ...tensor, dtype: "F32" as const }));
  await writeSafetensors(sink, tensors, { format: "pt" });
  await writeFile(join(folder, "adapter_model.safetensors"), sink.bytes());
  await writeFile(join(folder, "adapter_config.json"), JSON.stringify(adapter.config));
}

export async function writeGgufAdapter(path: string, adapter: MadeAdapter): Promise<void> {
  const entries = Object.entries(adapter.config).map(([key, value]): [string, GgufEntry] => {
    return [key, typeof value === "number" ? { type: "f32", value } : { type: "string", value: value as string }];
  });
  const sink = collect();
  const tensors = tensorsOf(adapter).map((tensor) => ({ ...tensor, format: "f32" as const }));
  await writeGguf(sink, { entries: new Map(entries), tensors });
  await writeFile(path, sink.bytes());
}
