// `liang show`: what is in a model's files, and whether it fits here, without loading it.
import { type ModelDescription, describeModel, resolveModel } from "../chat/describe.ts";
import { defineCommand } from "./command.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { bytes, out, outJson, paint, tabulate } from "./terminal.ts";

/** Metadata longer than this is told by its length. */
const VALUE_COLUMNS_MAX = 56;
const ITEMS_MAX = 4;

export const command = defineCommand({
  summary: "Shows what is in a model's files, and whether it fits in memory.",
  usage: "MODEL",
  words: { least: 1, most: 1 },
  options: {
    metadata: { type: "boolean", help: "list the metadata (config.json)" },
    tensors: { type: "boolean", help: "list the tensors" },
    template: { type: "boolean", help: "print the chat template" },
    json: { type: "boolean", help: "print everything as JSON" },
    ...loadingOptions,
  },
  async run(options, [model]) {
    const description = await describeModel(await resolveModel(model), loadOptions(options));
    if (options.json) outJson({ ...description, config: shortened(description.config) });
    else if (options.template) out(description.templateSource);
    else if (options.metadata) out(tabulate(Object.entries(description.config).map(([k, v]) => [k, brief(v)])));
    else if (options.tensors) out(tensorTable(description));
    else out(overview(description, options.rope));
  },
});

function overview(model: ModelDescription, rope?: string): string {
  const { memory, sampling } = model;
  const count = `${model.tensors.length} tensors: ${countTypes(model)}`;
  const verdict = memory.fits ? "fits" : paint("accent", "does not fit");
  const faint = (text: string): string => paint("faint", text);
  return [
    `${paint("strong", model.name)} ${faint(`${model.family}, ${model.kind === "gguf" ? "GGUF" : "Hugging Face folder"}`)}`,
    tabulate([
      ["parameters", parameterCounts(model)],
      ["file", `${bytes(model.fileBytes)}, ${count}`],
      ...model.notes.map((note) => ["", note]),
      ["shape", `${model.layers} layers, width ${model.width}, vocabulary ${model.vocabularySize}`],
      ["window", `${model.window} tokens here, ${model.trainedWindow} ${rope === undefined ? "as made" : "by --rope"}`],
      ...model.ropes.map((scaling, i) => [i === 0 ? "rope" : "", scaling]),
      ["template", model.template],
      [
        "sampling",
        Object.entries(sampling)
          .map(([k, v]) => `${k} ${String(v)}`)
          .join(", ") || "no recommendation",
      ],
    ]),
    "",
    `${verdict}: ${bytes(memory.totalBytes)} of ${bytes(memory.availableBytes)} free, ${model.slots} conversations at once`,
    tabulate([
      ["  weights", `${bytes(memory.weightBytes)} ${faint(`(a token reads ${bytes(memory.weightBytesPerToken)})`)}`],
      ...Object.entries(model.keptAs).map(([format, form]) => [
        "",
        `${format} has no kernel of its own: kept as ${form}`,
      ]),
      [
        "  keys and values",
        `${bytes(memory.kvBytes)} ${faint(`(${bytes(memory.kvBytesPerToken)} a token, ${memory.kvType})`)}`,
      ],
      ["  work space", bytes(memory.arenaBytes)],
      ["  code and threads", bytes(memory.runtimeBytes)],
      ["  vocabulary", bytes(memory.vocabularyBytes)],
    ]),
    "",
    faint("--metadata, --tensors and --template list more."),
  ].join("\n");
}

const millions = (count: number): string =>
  count >= 1e9 ? `${(count / 1e9).toFixed(2)} billion` : `${(count / 1e6).toFixed(count < 1e7 ? 2 : 0)} million`;

const parameterCounts = ({ parameters, activeParameters }: ModelDescription): string =>
  activeParameters === undefined
    ? millions(parameters)
    : `${millions(parameters)}, ${millions(activeParameters)} for a token`;

function countTypes({ tensors }: ModelDescription): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([type, n]) => `${n} ${type}`).join(", ");
}

function tensorTable({ tensors }: ModelDescription): string {
  return tabulate(
    tensors.map(({ name, shape, type, bytes: size }) => [
      name,
      `[${shape.join(", ")}]`,
      type,
      size === undefined ? "?" : bytes(size),
    ]),
  );
}

/** A metadata value in one line. */
function brief(value: unknown): string {
  if (isList(value)) {
    const head = Array.from(value.slice(0, ITEMS_MAX), (item) => brief(item)).join(", ");
    return value.length > ITEMS_MAX ? `[${head}, … ${value.length} in all]` : `[${head}]`;
  }
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "");
  return text.length > VALUE_COLUMNS_MAX ? `${text.slice(0, VALUE_COLUMNS_MAX)}… ${text.length} characters` : text;
}

type List = readonly unknown[] | Float32Array;
const isList = (value: unknown): value is List =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** Metadata as JSON holds it: vocabularies and other long lists by their length and first items. */
function shortened(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (typeof value === "bigint") return [key, value.toString()];
      if (!isList(value)) return [key, value];
      const items = Array.from(value.slice(0, 64), (item: unknown) => (typeof item === "bigint" ? String(item) : item));
      return [key, value.length > 64 ? { length: value.length, first: items.slice(0, ITEMS_MAX) } : items];
    }),
  );
}
