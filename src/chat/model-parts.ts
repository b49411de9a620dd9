// Opens a model's files and reads all that is no weight: what family it is, its tokenizer, its template, how it wants to
// be sampled. Nothing large is allocated. Not here: running it (load.ts).
import { splitPath } from "#platform";
import { sum } from "../base/collections.ts";
import type { OnProgress } from "../base/progress.ts";
import type { Executor, ParameterStore } from "../device/executor.ts";
import { originOf } from "../engine/file-origin.ts";
import { openFileStore, readModelFiles } from "../engine/file-store.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { ModelFiles } from "../format/open-model-files.ts";
import type { Model } from "../models/model.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chooseTemplate, templateOption } from "./choose-template.ts";
import type { ChosenTemplate } from "./choose-template.ts";
import { readTexts } from "./texts.ts";
import type { LoadOptions, ModelInfo, ReplyDefaults } from "./types.ts";

/** One owner; closing closes the files and the template's thread. */
export interface ModelParts extends AsyncDisposable {
  readonly path: string;
  /** What the model's makers call it, else the file's name. */
  readonly title: string;
  readonly files: ModelFiles;
  readonly model: Model;
  readonly store: ParameterStore;
  readonly tokenizer: Tokenizer;
  readonly chosen: ChosenTemplate;
  readonly defaults: ReplyDefaults;
  readonly endIds: ReadonlySet<number>;
  close(): Promise<void>;
}

/**
 * `template` and `rope`: as LoadOptions has them. `onProgress` hears how many bytes of weights there are to load before the vocabulary
 * is read, which takes a moment. Throws what reading files, config, vocabulary and template name throws.
 */
export async function openModelParts(
  path: string,
  { template, rope }: Pick<LoadOptions, "template" | "rope"> = {},
  onProgress?: OnProgress,
): Promise<ModelParts> {
  const files = await openModelFiles(path);
  try {
    const model = await readModelFiles(files, rope);
    const store = { ...openFileStore(files, model), origin: () => originOf(files, model.parameters) };
    const total = [...store.parameters.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    onProgress?.({ label: "load", done: 0, total, unit: "bytes" });
    const { title, tokenizer, templates, defaults, endIds } = await readTexts(files, model.vocabularySize);
    const isTranslator = model.encoder !== undefined; // or one that summarises: it reads one text, and is to be sure
    const chosen = chooseTemplate(templates, tokenizer, templateOption(model, template));
    const close = async (): Promise<void> => {
      await chosen.template.close();
      await files.close();
    };
    return {
      path,
      title: title ?? splitPath(path).name,
      files,
      model,
      store,
      tokenizer,
      chosen,
      defaults: isTranslator ? { temperature: 0, ...defaults } : defaults,
      endIds: new Set([...tokenizer.specials.endOfGeneration, ...endIds]),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** What is told of a model that runs; `running` is what its engine or its encoder says. */
export const infoOf = (
  parts: ModelParts,
  executor: Pick<Executor, "name" | "tier" | "notice">,
  running: Pick<ModelInfo, "window" | "slots" | "threads" | "weights" | "bytesPerToken" | "memory" | "loadMs">,
): ModelInfo => ({
  name: parts.title,
  path: parts.path,
  family: parts.model.family,
  ...sizeOf(parts),
  vocabularySize: parts.model.vocabularySize,
  bosId: parts.tokenizer.specials.bos,
  eosId: parts.tokenizer.specials.eos,
  addBos: parts.tokenizer.addBos,
  trainedWindow: parts.model.window,
  executor: executor.name,
  tier: executor.tier,
  ...(executor.notice !== undefined && { notice: executor.notice }),
  template: parts.chosen.from,
  ...running,
});

/** Weights counted once each, those that a token goes through where experts are chosen, and the bytes of the files. */
export function sizeOf({ files, model }: Pick<ModelParts, "files" | "model">): {
  parameters: number;
  activeParameters?: number;
  fileBytes: number;
} {
  const used = new Set([...model.parameters.values()].flatMap(({ pieces }) => pieces.map(({ tensor }) => tensor)));
  const elements = [...used].map((name) => files.tensors.get(name)?.shape.reduce((a, b) => a * b, 1) ?? 0);
  const resting = [...model.parameters.values()].map(
    ({ rows, columns, matrices = 1, chosen = matrices }) => (rows / matrices) * columns * (matrices - chosen),
  );
  const [parameters, idle] = [sum(elements), sum(resting)];
  return {
    parameters,
    ...(idle > 0 && { activeParameters: parameters - idle }),
    fileBytes: sum(files.weightFiles.map(({ sizeBytes }) => sizeBytes)),
  };
}
