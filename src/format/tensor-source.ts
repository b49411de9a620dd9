// Model files as the layers above see them, whatever kind they are: a config, named tensors, and their bytes by range.
// Not here: how each kind is opened (gguf-files.ts, hf-folder.ts; open-model-files.ts chooses).
import { FormatError, NotFoundError, UnsupportedError } from "../base/errors.ts";
import { checkRange, type ByteSource } from "../base/source.ts";
import type { FormatName } from "../numeric/registry.ts";

/** The file that makes a folder an adapter's, as PEFT writes it. */
export const ADAPTER_CONFIG = "adapter_config.json";

/** A tensor of a model file, outermost size first. */
export interface SourceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its number format; throws UnsupportedError, naming tensor and type, when Liang has no format for the type. */
  readonly format: FormatName;
  /** The type's name in lower case, also where `format` throws: "q4_k", "iq4_xs", "i64". */
  readonly typeName: string;
  /** Undefined when the type is so unknown that its size is. */
  readonly byteLength: number | undefined;
  /** The file has blocks, which are decoded as they are read. */
  readonly inBlocks?: boolean;
}

export interface WeightFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly headerBytes: number;
  readonly source: ByteSource;
}

/** Opened files of one model. One owner; `close` closes all of them. */
export interface TensorSource extends AsyncDisposable {
  /** The path that was opened; shown in errors. */
  readonly file: string;
  /** "gguf": `config` is the metadata; "hf": config.json. */
  readonly kind: "gguf" | "hf";
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, SourceTensor>;
  /** What tensors are seen as that lie otherwise in the files: sentences. */
  readonly notes?: readonly string[];
  /** The files with weights in them; the header is what is before the first tensor's data. */
  readonly weightFiles: readonly WeightFile[];
  /** Fills `into` from byte `byteOffset` of a tensor on. Throws NotFoundError, FormatError outside of the tensor. */
  read(tensorName: string, byteOffset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A tensor and where its bytes are. */
export interface PlacedTensor extends Omit<SourceTensor, "format"> {
  readonly format: FormatName | undefined;
  readonly source: ByteSource;
  readonly offset: number;
}

/** What every kind of model file shares: tensors by name with lazy format errors, ranged reads, one `close`. */
export function tensorAccess(
  file: string,
  sources: readonly ByteSource[],
  placed: Iterable<PlacedTensor>,
): Pick<TensorSource, "file" | "tensors" | "weightFiles" | "read" | "close" | typeof Symbol.asyncDispose> {
  const places = new Map<string, PlacedTensor>();
  for (const tensor of placed) {
    if (places.has(tensor.name)) {
      throw new FormatError(tensor.source.name, "tensor name", tensor.name, "a name that no other part has");
    }
    places.set(tensor.name, tensor);
  }
  const close = async () => {
    for (const source of sources) await source.close();
  };
  return {
    file,
    tensors: new Map([...places].map(([name, tensor]) => [name, new LazyFormat(tensor)])),
    weightFiles: sources.map((source) => ({
      path: source.name,
      sizeBytes: source.size,
      source,
      headerBytes: [...places.values()].reduce(
        (least, tensor) => (tensor.source === source ? Math.min(least, tensor.offset) : least),
        source.size,
      ),
    })),
    async read(tensorName, byteOffset, into) {
      const tensor = places.get(tensorName);
      if (tensor === undefined) throw new NotFoundError(`${file} has no tensor ${tensorName}.`);
      const { source, offset, byteLength = 0 } = tensor;
      checkRange(`${source.name}, tensor ${tensorName}`, byteLength, byteOffset, into.byteLength);
      await source.read(offset + byteOffset, into);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

class LazyFormat implements SourceTensor {
  readonly #format: FormatName | undefined;
  readonly #file: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly typeName: string;
  readonly byteLength: number | undefined;

  constructor({ name, shape, typeName, byteLength, format, source }: PlacedTensor) {
    this.#format = format;
    this.#file = source.name;
    this.name = name;
    this.shape = shape;
    this.typeName = typeName;
    this.byteLength = byteLength;
  }

  get format(): FormatName {
    if (this.#format !== undefined) return this.#format;
    throw new UnsupportedError(
      `${this.#file}: tensor ${this.name} is stored as ${this.typeName}, which Liang cannot read.`,
      {
        hint: "Take a file of another type (Q4_K_M, Q8_0, F16 are fine).",
      },
    );
  }
}
