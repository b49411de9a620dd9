// Writes a trained tokenizer into a folder, as transformers opens it. Files appear whole or not at all.
import { UsageError } from "../../base/errors.ts";
import { createFileWriter, fileFacts, joinPath, makeFolder } from "#platform";
import type { TrainedTokenizer } from "./types.ts";

/** Throws UsageError where a tokenizer is there already: models trained with it could not be read any more. */
export async function checkNoTokenizer(folder: string): Promise<void> {
  const path = joinPath(folder, "tokenizer.json");
  if ((await fileFacts(path)) === undefined) return;
  throw new UsageError(`${path} is there already.`, { hint: "Name another folder, or replace it with --force." });
}

/** Makes the folder where it is not there, and replaces the tokenizer in it. */
export async function writeTokenizer(folder: string, trained: TrainedTokenizer): Promise<void> {
  await makeFolder(folder);
  const write = async (name: string, value: object): Promise<void> => {
    await using file = await createFileWriter(joinPath(folder, name));
    await file.append(new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`));
    await file.finish();
  };
  await write("tokenizer_config.json", trained.tokenizerConfig);
  await write("tokenizer.json", trained.tokenizer);
}
