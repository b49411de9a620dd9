// Reading the parts of a tokenizer.json: objects by their "type", fields with the types they must have. An unknown
// component is refused by name: leaving it out would give other tokens.
import { FormatError, UnsupportedError } from "../base/errors.ts";

const HOLES_MAX = 1 << 16;

export type JsonObject = Readonly<Record<string, unknown>>;

/** One component of a tokenizer.json ("normalizer", …): reads its fields, and says where it stands in errors. */
export class Component {
  readonly value: JsonObject;
  readonly where: string;
  readonly file: string;

  constructor(value: JsonObject, where: string, file: string) {
    this.value = value;
    this.where = where;
    this.file = file;
  }

  get type(): string {
    return this.text("type");
  }

  text(key: string): string {
    return this.#read(key, "a string", isText);
  }

  flag(key: string, byDefault: boolean): boolean {
    return this.#isMissing(key) ? byDefault : this.#read(key, "true or false", isFlag);
  }

  number(key: string, byDefault?: number): number {
    return byDefault !== undefined && this.#isMissing(key) ? byDefault : this.#read(key, "a number", isNumber);
  }

  /** A token id. Holes between ids are allowed up to a bound, so that no file can ask for an endless vocabulary. */
  id(key: string, tokenCount: number): number {
    return this.checkedId(this.value[key], key, tokenCount);
  }

  /** The same for a value found under a name inside this component. */
  checkedId(value: unknown, name: string, tokenCount: number): number {
    const idMax = tokenCount + HOLES_MAX;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= idMax) return value;
    return this.fail(name, value, `an id from 0 to ${idMax}`);
  }

  optionalText(key: string): string | undefined {
    return this.#isMissing(key) ? undefined : this.text(key);
  }

  optionalNumber(key: string): number | undefined {
    return this.#isMissing(key) ? undefined : this.number(key);
  }

  list(key: string): readonly unknown[] {
    return this.#read(key, "an array", isList);
  }

  object(key: string): JsonObject {
    return this.#read(key, "an object", isObject);
  }

  /** The component in a field, undefined when the field is null or missing. */
  part(key: string): Component | undefined {
    return this.#isMissing(key) ? undefined : new Component(this.object(key), `${this.where}.${key}`, this.file);
  }

  parts(key: string): Component[] {
    return this.list(key).map((value, index) => {
      if (isObject(value)) return new Component(value, `${this.where}.${key}[${index}]`, this.file);
      return this.fail(`${key}[${index}]`, value, "an object");
    });
  }

  /** The pattern of Split and Replace: {"String": …} taken literally, or {"Regex": …}. */
  pattern(key: string): { readonly literal: string } | { readonly regex: string } {
    const { String: literal, Regex: regex } = this.object(key);
    if (typeof literal === "string") return { literal };
    if (typeof regex === "string") return { regex };
    return this.fail(key, this.value[key], '{"String": …} or {"Regex": …}');
  }

  /** What a table has under a name that the file gives; nothing that an object has by itself ("constructor"). */
  static entry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
    return Object.hasOwn(table, name) ? table[name] : undefined;
  }

  /** Refuses this component. */
  unsupported(why = ""): never {
    throw new UnsupportedError(
      `${this.file}: ${this.where} of type ${JSON.stringify(this.type)} is not supported${why}.`,
      {
        hint: "Without it the tokens would differ from the model's.",
      },
    );
  }

  fail(key: string, found: unknown, expected: string): never {
    throw new FormatError(this.file, `${this.where}.${key}`, found, expected);
  }

  #isMissing(key: string): boolean {
    return this.value[key] === undefined || this.value[key] === null;
  }

  #read<T>(key: string, expected: string, fits: (value: unknown) => value is T): T {
    const value = this.value[key];
    return fits(value) ? value : this.fail(key, value, expected);
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
