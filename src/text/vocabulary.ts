// The entries of a vocabulary: spelling, class, score; spelling → id. Tables that only encoding needs are built on first
// use, so that a quarter of a million entries load in milliseconds. Not here: roles of special tokens
// (special-tokens.ts), what bytes a spelling stands for (detokenizer.ts).
import { FormatError, UsageError } from "../base/errors.ts";
import { TextList, type Texts } from "../base/text-list.ts";
import { TextIndex } from "./text-index.ts";
import type { TokenClass } from "./tokenizer.ts";

const utf8 = new TextEncoder();
const scratch = new Uint8Array(256); // spellings are shorter; others get bytes of their own

const CLASSES = ["normal", "unknown", "control", "user-defined", "unused", "byte"] as const satisfies TokenClass[];

export class Vocabulary {
  readonly size: number;
  readonly #given: Texts;
  readonly #classes: Uint8Array;
  readonly #file: string;
  #texts: readonly string[] | undefined;
  #list: TextList | undefined;
  #index: TextIndex | undefined;

  /** `classes` by id, or nothing: all normal. `file` is named in errors. */
  constructor(texts: Texts, classes: ArrayLike<TokenClass> | undefined, file: string) {
    this.size = texts.length;
    this.#given = texts;
    this.#file = file;
    this.#classes = new Uint8Array(texts.length);
    if (classes !== undefined) for (let id = 0; id < texts.length; id++) this.setClass(id, classes[id]);
  }

  /** All spellings by id. */
  get texts(): readonly string[] {
    this.#texts ??= this.#given instanceof TextList ? this.#given.toArray() : this.#given;
    return this.#texts;
  }

  /** The same as bytes. */
  get list(): TextList {
    this.#list ??= this.#given instanceof TextList ? this.#given : TextList.of(this.#given);
    return this.#list;
  }

  text(id: number): string {
    const text = Number.isInteger(id) ? this.#given.at(id) : undefined;
    if (text === undefined) throw this.#outside(id);
    return text;
  }

  #outside(id: number): UsageError {
    return new UsageError(`Token id ${id} is outside the vocabulary of ${this.size} tokens.`, { field: "ids" });
  }

  classOf(id: number): TokenClass {
    const tokenClass = CLASSES[this.#classes[id]];
    if (tokenClass === undefined) throw this.#outside(id);
    return tokenClass;
  }

  setClass(id: number, tokenClass: TokenClass): void {
    this.#classes[id] = CLASSES.indexOf(tokenClass);
  }

  /** Ids of a class, ascending. */
  idsOf(...classes: TokenClass[]): number[] {
    const wanted = CLASSES.map((name) => classes.includes(name));
    const ids: number[] = [];
    for (let id = 0; id < this.#classes.length; id++) if (wanted[this.#classes[id]]) ids.push(id);
    return ids;
  }

  /** The id of a spelling. Throws FormatError when two entries are spelled alike. */
  idOf(text: string): number | undefined {
    const { read, written } = utf8.encodeInto(text, scratch);
    const isWhole = read === text.length;
    const bytes = isWhole ? scratch : utf8.encode(text);
    const id = this.index.find(bytes, 0, isWhole ? written : bytes.byteLength);
    return id < 0 ? undefined : id;
  }

  /** Ids by the bytes of spellings. Throws as `idOf`. */
  get index(): TextIndex {
    this.#index ??= this.#makeIndex();
    return this.#index;
  }

  #makeIndex(): TextIndex {
    const index = new TextIndex(this.list);
    if (index.repeated < 0) return index;
    const { bytes, starts } = this.list;
    const first = index.find(bytes, starts[index.repeated], starts[index.repeated + 1]);
    throw new FormatError(this.#file, `token ${first}`, this.text(first), "a token that no other entry repeats");
  }
}
