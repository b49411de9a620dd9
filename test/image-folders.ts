// Folders of tiny models that read images, as transformers writes them, pictures, and what transformers computed of them.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

interface Golden {
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly embedding: readonly number[];
  }[];
  readonly images: readonly { readonly picture: string; readonly embedding: readonly number[] }[];
  readonly zeroShot: {
    readonly labels: readonly string[];
    readonly scores: readonly number[];
    readonly probabilities: readonly number[];
  };
  readonly classes: { readonly scores: readonly number[]; readonly probabilities: readonly number[] };
  readonly tokenizer: object;
  readonly preprocessors: Readonly<Record<"clip" | "vit", object>>;
}
interface Pictures {
  readonly pictures: readonly {
    readonly name: string;
    readonly file: string;
    readonly width: number;
    readonly height: number;
    readonly rgb: string;
  }[];
}
const root = resolve(import.meta.dirname, "golden");
const read = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(root, "image", name), "utf8")) as T;
export const golden = await read<Golden>("end-to-end.json");
export const { pictures } = await read<Pictures>("pictures.json");
export const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
export const picture = (name: string): Uint8Array => bytesOf(pictures.find((one) => one.name === name)!.file);
/** The pictures that `golden` is of. */
export const shown = golden.images.map(({ picture: name }) => picture(name));

/** Puts a golden model at `at` with what transformers puts beside it, and gives the path back. */
export async function imageFolder(name: "clip" | "vit", at: string, without: readonly string[] = []): Promise<string> {
  await mkdir(at, { recursive: true });
  for (const file of ["config.json", "model.safetensors"])
    await copyFile(join(root, "families", name, file), join(at, file));
  const files = {
    "preprocessor_config.json": golden.preprocessors[name],
    ...(name === "clip" && { "tokenizer.json": golden.tokenizer }),
  };
  for (const [file, value] of Object.entries(files)) {
    if (!without.includes(file)) await writeFile(join(at, file), JSON.stringify(value));
  }
  return at;
}
