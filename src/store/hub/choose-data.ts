// Which files of a data set's repository are data: those of one kind, Parquet before rows of JSON before plain texts, since
// repositories often hold the same data in several; or what was asked for. Pure: names in, names out.
import { type DataFormat, dataFormatOf, dataFormats } from "../../base/data-files.ts";
import { NotFoundError, UnsupportedError, show } from "../../base/errors.ts";
import type { HubFile } from "./listing.ts";

export interface DataChoice {
  /** In the order of paths. */
  readonly files: readonly HubFile[];
  /** Data that was not asked for, in words; undefined where there is none. */
  readonly others: string | undefined;
}

const PREFERRED: readonly DataFormat[] = ["parquet", "json", "text"];
/** What a repository says of itself, beside its data. */
const NO_DATA =
  /(^|\/)(\.|readme|licen[cs]e|citation|changelog|requirements\.|dataset_infos?\.|dataset_dict\.|state\.|configuration\.)/i;

/**
 * `wish`: a file's path or name, a folder, or a kind (text, json, parquet). Throws NotFoundError that lists what there is,
 * UnsupportedError when the repository has nothing that Liang reads.
 */
export function chooseData(id: string, files: readonly HubFile[], wish: string | undefined): DataChoice {
  const data = files
    .filter(({ path }) => dataFormatOf(path) !== undefined && !NO_DATA.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (data.length === 0) {
    throw new UnsupportedError(`${id} has no files of texts, JSON lines or Parquet.`, {
      hint: `It has ${files.length} files: ${namesOf(files)}.`,
    });
  }
  const chosen = wish === undefined ? usual(data) : wished(id, data, wish);
  const others = data.filter((file) => !chosen.includes(file));
  return { files: chosen, others: wish === undefined && others.length > 0 ? namesOf(others) : undefined };
}

const ofFormat = (files: readonly HubFile[], format: string): HubFile[] =>
  files.filter(({ path }) => dataFormatOf(path) === format);

const usual = (data: readonly HubFile[]): HubFile[] =>
  PREFERRED.map((format) => ofFormat(data, format)).find((found) => found.length > 0)!;

function wished(id: string, data: readonly HubFile[], wish: string): HubFile[] {
  const tests: ((path: string) => boolean)[] = [
    (path) => path === wish,
    (path) => path.startsWith(`${wish}/`),
    (path) => path.endsWith(`/${wish}`),
    (path) => path.split("/").slice(0, -1).includes(wish),
  ];
  if ((dataFormats as readonly string[]).includes(wish)) tests.push((path) => dataFormatOf(path) === wish);
  for (const test of tests) {
    const found = data.filter(({ path }) => test(path));
    if (found.length > 0) return found;
  }
  throw new NotFoundError(`${id} has no data called ${show(wish)}.`, { hint: `There are: ${namesOf(data)}.` });
}

const NAMES_MAX = 12;

function namesOf(files: readonly HubFile[]): string {
  const names = files.slice(0, NAMES_MAX).map(({ path }) => path);
  return files.length <= NAMES_MAX ? names.join(", ") : `${names.join(", ")} and ${files.length - NAMES_MAX} more`;
}
