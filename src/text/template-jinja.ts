// Renders one Jinja chat template as transformers does: trim_blocks, lstrip_blocks, loop controls, `tojson` with Python's
// spacing, `raise_exception`, `strftime_now`, and the sandbox's bound on `range`. Pure and synchronous: an untrusted
// template can spin here for ever, so template-worker.ts runs it on a thread that template-runner.ts can kill.
// Known to differ from Jinja2: booleans, None, lists and dicts written without `tojson` come out as JSON has them; loops
// over what is undefined, and a few filters (format, groupby, sum, e), are errors.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { show } from "../base/errors.ts";
import { strftime } from "./template-time.ts";

export interface JinjaJob {
  readonly source: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What `strftime_now` shows, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The longest output accepted, in UTF-16 units. */
  readonly outputUnits: number;
}

export type JinjaResult =
  | { readonly kind: "text"; readonly text: string }
  /** The template itself called `raise_exception` with this message. */
  | { readonly kind: "refused"; readonly message: string }
  /** The template is not valid, or asks for what Jinja (or this Jinja) does not have. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "too-long"; readonly units: number };

// The bound of Jinja2's sandbox, in which transformers renders: a longer range is an error there too.
const RANGE_MAX = 100_000;

// Parsed templates; a process meets a handful, so the oldest going first is enough.
const PARSED_MAX = 32;
const parsed = new Map<string, ReturnType<typeof parse>>();

class Refusal extends Error {}

/** Never throws, except for what no template should be able to do. */
export function renderJinja(job: JinjaJob): JinjaResult {
  try {
    const text = evaluate(job);
    return text.length <= job.outputUnits ? { kind: "text", text } : { kind: "too-long", units: text.length };
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", message: error.message };
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

function evaluate(job: JinjaJob): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries({ ...globals(job.nowMs), ...job.variables })) environment.set(name, value);
  return String(new Interpreter(environment).run(program(job.source)).value);
}

function program(source: string): ReturnType<typeof parse> {
  const known = parsed.get(source);
  if (known) return known;
  const fresh = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
  const oldest = parsed.size >= PARSED_MAX ? parsed.keys().next().value : undefined;
  if (oldest !== undefined) parsed.delete(oldest);
  parsed.set(source, fresh);
  return fresh;
}

function globals(nowMs: number): Record<string, unknown> {
  return {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    raise_exception: (message: unknown) => {
      throw new Refusal(String(message));
    },
    strftime_now: (format: string) => strftime(new Date(nowMs), format),
  };
}

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (![start, stop, step].every(Number.isInteger) || step === 0) {
    throw new Error(`range(${show([start, stop, step])}) wants integers and a step that is not 0`);
  }
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > RANGE_MAX)
    throw new Error(`range has ${count} items, more than the ${RANGE_MAX} that templates may have`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}
