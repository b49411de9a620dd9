// What files of training data are, by their names.

export const dataFormats = ["text", "json", "parquet"] as const;
export type DataFormat = (typeof dataFormats)[number];

/** By a name's ending, behind which ".gz" may stand. */
export const dataEndings: Readonly<Record<string, DataFormat>> = {
  txt: "text",
  text: "text",
  md: "text",
  jsonl: "json",
  ndjson: "json",
  json: "json",
  parquet: "parquet",
};

/** Undefined for a name that tells none. */
export function dataFormatOf(path: string): DataFormat | undefined {
  const ending = /\.(\w+)(\.gz)?$/i.exec(path)?.[1].toLowerCase() ?? "";
  return Object.hasOwn(dataEndings, ending) ? dataEndings[ending] : undefined;
}
