// Typed reads of GGUF metadata: each says what the field holds and what was expected when they differ.
import { FormatError } from "../base/errors.ts";
import { TextList, type Texts } from "../base/text-list.ts";

export type Metadata = Readonly<Record<string, unknown>>;

/** Reads fields of a metadata record; errors name `file`. */
export class MetadataReader {
  readonly #metadata: Metadata;
  readonly #file: string;

  constructor(metadata: Metadata, file: string) {
    this.#metadata = metadata;
    this.#file = file;
  }

  text(key: string): string | undefined {
    return this.#read(key, "a string", (value) => typeof value === "string") as string | undefined;
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, "true or false", (value) => typeof value === "boolean") as boolean | undefined;
  }

  /** A whole number; 64-bit values may come as bigint. */
  integer(key: string): number | undefined {
    const value = this.#read(key, "a whole number", (found) => Number.isSafeInteger(Number(found)));
    return value === undefined ? undefined : Number(value);
  }

  texts(key: string): readonly string[] | undefined {
    const found = this.#texts(key);
    return found instanceof TextList ? found.toArray() : found;
  }

  /** The same, for lists that are long. */
  textList(key: string): TextList | undefined {
    const found = this.#texts(key);
    return found === undefined || found instanceof TextList ? found : TextList.of(found);
  }

  #texts(key: string): Texts | undefined {
    return this.#read(key, "an array of strings", (value) => {
      if (value instanceof TextList) return true;
      return Array.isArray(value) && value.every((entry) => typeof entry === "string");
    }) as Texts | undefined;
  }

  /** Numbers, as an array or a typed array; `length` is what there must be at least. */
  numbers(key: string, length: number): ArrayLike<number> | undefined {
    return this.#read(key, `an array of at least ${length} numbers`, (value) => {
      if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return false;
      const list = value as unknown as ArrayLike<unknown>;
      return list.length >= length && (list.length === 0 || typeof list[0] === "number");
    }) as ArrayLike<number> | undefined;
  }

  require<T>(key: string, value: T | undefined): T {
    if (value === undefined) throw new FormatError(this.#file, key, undefined, "a value");
    return value;
  }

  #read(key: string, expected: string, fits: (value: unknown) => boolean): unknown {
    const value = this.#metadata[key];
    if (value === undefined) return undefined;
    if (!fits(value)) throw new FormatError(this.#file, key, value, expected);
    return value;
  }
}
