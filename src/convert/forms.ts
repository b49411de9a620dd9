// What a family's row says of its two forms, config.json and GGUF metadata. The rows: families.ts.
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Config } from "../models/config.ts";
import type { Model } from "../models/index.ts";

/** What a family's own settings are read from. */
export interface Settings {
  readonly model: Model;
  /** config.json, or the metadata of the architecture ("llama." put before every key). */
  readonly config: Config;
  readonly headSize: number;
  readonly heads: number;
}

/** config.json's names of the sizes that every family has. */
export interface SizeNames {
  readonly window: string;
  readonly width: string;
  readonly layers: string;
  readonly heads: string;
  readonly forwardWidth: string;
  readonly epsilon: string;
  /** Families whose heads may be of any size, and shared. */
  readonly kvHeads?: string;
  readonly headSize?: string;
}

export interface FamilyForms {
  /** config.json's model_type, which is the model's family. */
  readonly hf: string;
  /** GGUF's general.architecture. */
  readonly gguf: string;
  /** The class that transformers opens. */
  readonly architecture: string;
  readonly names: SizeNames;
  /** GGUF's name of epsilon, and the config's value where it says none. */
  readonly epsilon: { readonly gguf: string; readonly byDefault: number };
  /** The rope's base where config.json says none; absent: the family has no rope. */
  readonly ropeBase?: number;
  /** Whether yarn's bounds are rounded outwards in every model of it, which GGUF does not say. Default: they are. */
  readonly yarnTruncates?: boolean;
  /** Keys of config.json that are the same in every model of the family. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Options of config.json that GGUF has no word for: each must be missing or one of these. */
  readonly hfOnly: Readonly<Record<string, readonly unknown[]>>;
  /** The keys of config.json that say whether layers have biases, and a parameter that only exists then. */
  readonly biases: Readonly<Record<string, string>>;
  /** What published files of it have besides that is not converted, for documentation. */
  readonly left?: string;
  /** Query heads, where the sizes of weights and of what is cached do not tell. */
  readonly heads?: (model: Model) => number;
  /** What else a family has to say, each way. */
  readonly toGguf?: (settings: Settings) => readonly (readonly [key: string, entry: GgufEntry])[];
  readonly toHf?: (settings: Settings) => Readonly<Record<string, unknown>>;
}
