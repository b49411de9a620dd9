// Typed reading of config.json and GGUF metadata. A key that is null counts as missing, as published configs mean it.
// Values come from untrusted files: each is checked when it is read, and the error names its key.
import { FormatError, UnsupportedError, show } from "../base/errors.ts";

/** No size in a real config is near this; a larger one is a broken file, not a model. */
const SIZE_MAX = 2 ** 24;

export class Config {
  readonly #file: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  /** `prefix` is put before every key: "llama." in GGUF metadata. */
  constructor(file: string, values: Readonly<Record<string, unknown>>, prefix = "") {
    this.#file = file;
    this.#values = values;
    this.#prefix = prefix;
  }

  /** Whether the key is there, also as null. */
  has(key: string): boolean {
    return Object.hasOwn(this.#values, this.#prefix + key);
  }

  /** The value, or undefined when it is missing or null. */
  find(key: string): unknown {
    const name = this.#prefix + key;
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }

  /** A positive whole number, as sizes and counts are. */
  size(key: string, fallback?: number): number {
    const value = this.find(key) ?? fallback;
    if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= SIZE_MAX) return value as number;
    throw this.error(key, value, `a whole number from 1 to ${SIZE_MAX}`);
  }

  /** A whole number that may be 0. */
  count(key: string, fallback?: number): number {
    const value = this.find(key) ?? fallback;
    return value === 0 ? 0 : this.size(key, fallback);
  }

  optionalNumber(key: string): number | undefined {
    return this.find(key) === undefined ? undefined : this.number(key);
  }

  /** A positive number. */
  number(key: string, fallback?: number): number {
    const value = this.find(key) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw this.error(key, value, "a positive number");
  }

  /** A positive number, or 0. */
  numberOrZero(key: string, fallback?: number): number {
    const value = this.find(key) ?? fallback;
    return value === 0 ? 0 : this.number(key, fallback);
  }

  /** A list of positive numbers. */
  numbers(key: string): readonly number[] {
    const value = this.find(key);
    const isPositive = (item: unknown): item is number => typeof item === "number" && Number.isFinite(item) && item > 0;
    if (Array.isArray(value) && value.every(isPositive)) return value;
    throw this.error(key, value, "a list of positive numbers");
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.find(key) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.error(key, value, "true or false");
  }

  string(key: string, fallback?: string): string {
    const value = this.find(key) ?? fallback;
    if (typeof value === "string") return value;
    throw this.error(key, value, "text");
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.find(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw this.error(key, value, "a list of text");
  }

  /** Whole numbers that may be 0. */
  counts(key: string): readonly number[] | undefined {
    const value = this.find(key);
    if (value === undefined) return undefined;
    const isCount = (item: unknown): boolean => Number.isInteger(item) && (item as number) >= 0;
    if (Array.isArray(value) && value.every(isCount)) return value as number[];
    throw this.error(key, value, "a list of whole numbers");
  }

  /** The object under `key`, read in the same way; undefined when it is missing. */
  object(key: string): Config | undefined {
    const value = this.find(key);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) throw this.error(key, value, "an object");
    return new Config(`${this.#file} (${this.#prefix}${key})`, value as Record<string, unknown>);
  }

  error(key: string, found: unknown, expected: string): FormatError {
    return new FormatError(this.#file, this.#prefix + key, found === undefined ? "missing" : found, expected);
  }

  /**
   * Options that would change the result: each must be missing or one of the values given here, where there are some. Throws UnsupportedError
   * naming the option.
   */
  only(options: Readonly<Record<string, readonly unknown[] | undefined>>): void {
    for (const [key, allowed] of Object.entries(options)) {
      const value = this.find(key);
      if (value === undefined || allowed === undefined || allowed.includes(value)) continue;
      const choice = allowed.length === 0 ? "no such option" : allowed.map(show).join(" or ");
      throw new UnsupportedError(
        `${this.#file}: ${this.#prefix}${key} is ${typeof value === "object" ? "set" : show(value)}; Liang can do ${choice}.`,
      );
    }
  }
}
