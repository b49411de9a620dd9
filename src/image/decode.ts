// Bytes of a PNG, JPEG or WebP file → pixels, the very ones that Pillow gives: by Squoosh's decoders, which are the formats'
// own libraries as WebAssembly. Each is loaded with the first picture that needs it. JPEGs are turned as the camera says;
// transparency is dropped. Not here: sizes (header.ts).
import { packageFile } from "#platform";
import { FormatError, UsageError } from "../base/errors.ts";
import { type PictureFormat, readHeader } from "./header.ts";
import type { Pixels } from "./pixels.ts";

/** A picture of so many pixels takes 256 MiB while it is decoded. */
export const PIXELS_MAX = 2 ** 26;

interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}
type Decode = (bytes: ArrayBuffer) => Promise<Rgba>;
/** What the types of the packages leave out: a module that is compiled already, and where messages go. */
type Init = (module: WebAssembly.Module | undefined, options: object) => Promise<unknown>;

/** What decoders say while they decode. */
const heard: string[] = [];
const options = { printErr: (line: string) => void heard.push(line) };

/** Compiled; undefined where a bundler has put it where the package itself finds it. */
async function moduleOf(name: string): Promise<WebAssembly.Module | undefined> {
  const bytes = await packageFile(name);
  return bytes && new WebAssembly.Module(bytes);
}

const LOADERS: Readonly<Record<PictureFormat, () => Promise<Decode>>> = {
  async png() {
    const { default: decode, init } = await import("@jsquash/png/decode.js");
    await init(await moduleOf("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"));
    return (bytes) => decode(bytes) as Promise<Rgba>;
  },
  async jpeg() {
    const { default: decode, init } = await import("@jsquash/jpeg/decode.js");
    await (init as Init)(await moduleOf("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"), options);
    return (bytes) => decode(bytes, { preserveOrientation: true }) as Promise<Rgba>;
  },
  async webp() {
    const { default: decode, init } = await import("@jsquash/webp/decode.js");
    await (init as Init)(await moduleOf("@jsquash/webp/codec/dec/webp_dec.wasm"), options);
    return (bytes) => decode(bytes) as Promise<Rgba>;
  },
};
const loaded = new Map<PictureFormat, Promise<Decode>>();
/** Pictures are decoded one at a time, so that what is heard is of one. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Throws FormatError for bytes that are no such picture or are broken or cut short, UsageError for one of more than
 * PIXELS_MAX pixels. `file`: shown in errors.
 */
export async function decodePicture(bytes: Uint8Array, file: string): Promise<Pixels> {
  const { format, width, height } = readHeader(bytes, file);
  if (!(width > 0 && height > 0 && width * height <= PIXELS_MAX)) {
    const found = `${file} has ${width} x ${height} pixels`;
    throw new UsageError(`${found}, expected 1 to ${PIXELS_MAX} in all.`, { field: "image" });
  }
  const decode = loaded.get(format) ?? LOADERS[format]();
  loaded.set(format, decode);
  decode.catch(() => loaded.delete(format)); // the next one tries again
  const turn = last.then(() => decodeOne(decode, bytes, `${file} (${format})`));
  last = turn.catch(() => undefined);
  return await turn;
}

async function decodeOne(loading: Promise<Decode>, bytes: Uint8Array, file: string): Promise<Pixels> {
  const decode = await loading;
  heard.length = 0;
  const copy = Uint8Array.from(bytes).buffer; // alone in its memory
  const decoded = await decode(copy).catch((error: unknown) => error);
  // a JPEG without its end comes out grey there
  const complaint = heard.find((line) => /premature end/i.test(line));
  if (complaint === undefined && isRgba(decoded)) return withoutAlpha(decoded);
  const said = complaint ?? heard.at(-1) ?? "broken";
  throw new FormatError(file, "the picture", said, "one that can be decoded", { cause: decoded });
}

const isRgba = (value: unknown): value is Rgba =>
  typeof value === "object" && value !== null && "data" in value && "width" in value;

function withoutAlpha({ width, height, data }: Rgba): Pixels {
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return { width, height, rgb };
}
