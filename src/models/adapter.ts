// Which projections of a model an adapter's files change, and where in them: PEFT's names and config, or those that
// llama.cpp's converter writes. Kinds of files need not agree: an adapter made for a folder fits the same model's GGUF.
// Not here: reading values (engine/adapter-tables.ts), the formula (nn/lora.ts).
import { FormatError, UnsupportedError, show } from "../base/errors.ts";
import { type LoraSettings, loraScale, plainProjection } from "../nn/index.ts";
import { Config } from "./config.ts";
import { fileRows } from "./loading.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";
import { traceRows } from "./trace.ts";

/** One projection's adapter: A (R, K), B (M, R) and for DoRA magnitudes (M). */
export interface AdaptedProjection {
  readonly rank: number;
  readonly inner: number;
  readonly outer: number;
  /** What B A is multiplied by. */
  readonly scale: number;
  readonly a: string;
  /** Its tensor has rows for more than this projection where projections are fused in the files. */
  readonly b: string;
  readonly magnitude?: string;
  /** The row of `b` and `magnitude` that is row i of the projection. */
  readonly rowAt: (i: number) => number;
}

/** By the projection's name: "layers.0.attention.query". */
export type AdapterPlan = ReadonlyMap<string, AdaptedProjection>;

/** What a file says of the scale of an adapter at a module. */
type Scaling = (module: string, rank: number) => LoraSettings;

/** The names of a module's tensors. */
interface Names {
  readonly a: string;
  readonly b: string;
  readonly magnitudes: readonly string[];
}

/**
 * Throws UnsupportedError, by name, for what Liang cannot attach: other kinds of adapters, whole modules or biases that were
 * trained beside them, tensors of no projection; FormatError for shapes that do not fit the model.
 */
export function readAdapter(facts: Omit<ModelFacts, "isNew">, model: Model): AdapterPlan {
  const { file, kind, tensors } = facts;
  const scaling = kind === "hf" ? peftScaling(facts, model) : ggufScaling(facts);
  const used = new Set<string>();
  const plan = new Map<string, AdaptedProjection>();
  const rows = new Map(model.weightRows.map((row) => [row.parameter, row]));
  for (const projection of projectionsOf(model)) {
    const row = rows.get(`${projection}.weight`)!;
    const names = namesOf(row, kind, tensors);
    if (names === undefined) continue;
    const { a, b, magnitudes } = names;
    const magnitude = magnitudes.find((name) => tensors.has(name));
    for (const name of [a, b, magnitude]) if (name !== undefined) used.add(name);
    const [outer, inner] = row.shape;
    const { count: all, rowAt } = fileRows(row, kind);
    const rank = tensors.get(a)?.shape[0] ?? tensors.get(b)!.shape[1];
    expectShape(facts, a, [rank, inner]);
    expectShape(facts, b, [all, rank]);
    if (magnitude !== undefined) expectLength(facts, magnitude, all);
    plan.set(projection, {
      rank,
      inner,
      outer,
      scale: loraScale(scaling(row.hf.replace(/\.weight$/, ""), rank)),
      a,
      b,
      ...(magnitude !== undefined && { magnitude }),
      rowAt,
    });
  }
  const unknown = [...tensors.keys()].filter((name) => !used.has(name));
  if (unknown.length > 0) {
    const some = unknown.slice(0, 3).join(", ") + (unknown.length > 3 ? ", ..." : "");
    const hint = `Adapters of ${model.family} change ${partsOf(model).join(", ")} of its ${model.layers} layers.`;
    const message = `${file}: ${unknown.length} tensors change no projection of this model (${model.family}): ${some}.`;
    throw new UnsupportedError(message, { hint });
  }
  if (plan.size === 0)
    throw new FormatError(file, "tensors", "none", "an adapter's A and B of one projection at least");
  return plan;
}

/** The projections that the model's forward pass goes through, in order. */
export function projectionsOf(model: Model): string[] {
  const names: string[] = [];
  traceRows(model, {
    rows: 1,
    outputRows: 1,
    trains: () => false,
    adapter: () => (x, projected) => {
      names.push(projected.name);
      return plainProjection(x, projected);
    },
  });
  return names;
}

/** What the projections are called inside a layer. */
const partsOf = (model: Model): string[] => [
  ...new Set(projectionsOf(model).map((name) => name.replace(/^layers\.\d+\./, ""))),
];

/** PEFT puts "base_model.model." before the module's name; who adapted the part below a head lacks its "model." too. */
function namesOf(row: WeightRow, kind: ModelFacts["kind"], tensors: ModelFacts["tensors"]): Names | undefined {
  const isThere = ({ a, b }: Names): boolean => tensors.has(a) || tensors.has(b);
  if (kind === "gguf") {
    const names = { a: `${row.gguf}.lora_a`, b: `${row.gguf}.lora_b`, magnitudes: [] };
    return isThere(names) ? names : undefined;
  }
  const module = row.hf.replace(/\.weight$/, "");
  const below = module.replace(/^(model|transformer)\./, "");
  return [module, below, `model.${below}`, `transformer.${below}`]
    .map((name) => `base_model.model.${name}`)
    .map((name) => ({
      a: `${name}.lora_A.weight`,
      b: `${name}.lora_B.weight`,
      magnitudes: [`${name}.lora_magnitude_vector`, `${name}.lora_magnitude_vector.weight`],
    }))
    .find(isThere);
}

/** Options of PEFT's LoRA that would change the result. */
const peftRefusals: Readonly<Record<string, readonly unknown[]>> = {
  bias: ["none"],
  lora_bias: [false],
  use_qalora: [false],
  layer_replication: [],
  alora_invocation_tokens: [],
};
/** Initialisations that change the model's own weights, so that the adapter alone is not the whole. */
const OWN_WEIGHTS = /^(pissa|olora|corda|loftq)/;

function peftScaling({ file, config: values }: Pick<ModelFacts, "file" | "config">, model: Model): Scaling {
  const config = new Config(file, values);
  const type = config.string("peft_type", "LORA");
  if (type !== "LORA") throw new UnsupportedError(`${file}: peft_type is ${show(type)}; Liang can do "LORA".`);
  config.only(peftRefusals);
  for (const key of ["modules_to_save", "trainable_token_indices", "target_parameters"]) {
    const value = config.find(key);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    throw new UnsupportedError(
      `${file}: ${key} is ${show(value)}: weights that were trained whole cannot be attached.`,
      {
        hint: `Only projections of ${model.family} can; merge the adapter with the tool that trained it.`,
      },
    );
  }
  const start = config.find("init_lora_weights");
  if (typeof start === "string" && OWN_WEIGHTS.test(start)) {
    throw new UnsupportedError(`${file}: init_lora_weights is ${show(start)}, which changed the model's own weights.`, {
      hint: "Save it converted to a plain LoRA (PEFT: path_initial_model_for_weight_conversion).",
    });
  }
  const [r, alpha] = [config.size("r"), config.number("lora_alpha")];
  const rankStabilised = config.boolean("use_rslora", false);
  const [ranks, alphas] = ["rank_pattern", "alpha_pattern"].map((key) => numbersByName(config, key));
  return (module, rank) => {
    const expected = valueAt(ranks, module) ?? r;
    if (rank !== expected) throw new FormatError(file, `the rank of ${module}`, rank, String(expected));
    return { rank, alpha: valueAt(alphas, module) ?? alpha, rankStabilised, adapts: () => true };
  };
}

/** Numbers by names of modules: whole ones, or their ends ("q_proj"). PEFT would take any pattern; those are refused. */
function numbersByName(config: Config, key: string): ReadonlyMap<string, number> {
  const value = config.find(key) ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw config.error(key, value, "an object");
  const numbers = config.object(key);
  return new Map(
    Object.keys(value).map((name) => {
      if (!/^[\w.]+$/.test(name)) throw config.error(key, name, "names of modules, whole or their ends");
      return [name, numbers!.number(name)];
    }),
  );
}

function valueAt(numbers: ReadonlyMap<string, number>, module: string): number | undefined {
  for (const [name, number] of numbers) if (module === name || module.endsWith(`.${name}`)) return number;
  return undefined;
}

function ggufScaling({ file, config: values }: Pick<ModelFacts, "file" | "config">): Scaling {
  const config = new Config(file, values);
  const kind = config.string("general.type", "model");
  if (kind !== "adapter") {
    throw new FormatError(file, "general.type", kind, '"adapter"', { hint: "A model is loaded, not attached." });
  }
  const type = config.string("adapter.type", "lora");
  if (type !== "lora") throw new UnsupportedError(`${file}: adapter.type is ${show(type)}; Liang can do "lora".`);
  config.only({ "adapter.alora.invocation_tokens": [] });
  const alpha = config.find("adapter.lora.alpha") === 0 ? undefined : config.optionalNumber("adapter.lora.alpha");
  return (_, rank) => ({ rank, alpha: alpha ?? rank, adapts: () => true }); // 0: not scaled, as llama.cpp has it
}

function expectShape({ file, tensors }: Pick<ModelFacts, "file" | "tensors">, name: string, shape: number[]): void {
  const found = tensors.get(name)?.shape;
  if (found !== undefined && found.length === 2 && found.every((size, i) => size === shape[i])) return;
  throw new FormatError(file, `the shape of ${name}`, found === undefined ? "missing" : [...found], show(shape), {
    hint: "The adapter was made for another model.",
  });
}

/** A vector, or a matrix of one row or column. */
function expectLength({ file, tensors }: Pick<ModelFacts, "file" | "tensors">, name: string, length: number): void {
  const { shape } = tensors.get(name)!;
  if (shape.reduce((a, b) => a * b, 1) !== length) {
    throw new FormatError(file, `the shape of ${name}`, [...shape], show([length]));
  }
}
