// The entries of a vocabulary: spelling, class, score; spelling → id. Tables that only encoding needs are built on first
// use, so that a quarter of a million entries load in milliseconds. Not here: roles of special tokens
// (special-tokens.ts), what bytes a spelling stands for (detokenizer.ts).
import { FormatError, UsageError } from "../base/errors.ts";
import type { TokenClass } from "./tokenizer.ts";

const CLASSES = ["normal", "unknown", "control", "user-defined", "unused", "byte"] as const satisfies TokenClass[];

export class Vocabulary {
  readonly texts: readonly string[];
  readonly #classes: Uint8Array;
  #ids: Map<string, number> | undefined;
  readonly #file: string;

  /** `classes` by id, or nothing: all normal. `file` is named in errors. */
  constructor(texts: readonly string[], classes: ArrayLike<TokenClass> | undefined, file: string) {
    this.texts = texts;
    this.#file = file;
    this.#classes = new Uint8Array(texts.length);
    if (classes !== undefined) for (let id = 0; id < texts.length; id++) this.setClass(id, classes[id]);
  }

  get size(): number {
    return this.texts.length;
  }

  text(id: number): string {
    const text = this.texts[id];
    if (text === undefined) {
      throw new UsageError(`Token id ${id} is outside the vocabulary of ${this.size} tokens.`, { field: "ids" });
    }
    return text;
  }

  classOf(id: number): TokenClass {
    this.text(id); // refuses what is outside
    return CLASSES[this.#classes[id]];
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
    this.#ids ??= this.#index();
    return this.#ids.get(text);
  }

  #index(): Map<string, number> {
    const ids = new Map<string, number>();
    for (let id = 0; id < this.texts.length; id++) ids.set(this.texts[id], id);
    if (ids.size === this.texts.length) return ids;
    const twice = this.texts.findIndex((text, id) => ids.get(text) !== id);
    throw new FormatError(this.#file, `token ${twice}`, this.texts[twice], "a token that no other entry repeats");
  }
}
