// What a tokenizer.json's post_processor puts around one text. Llama-like tokenizers are told by tokenizer_config.json
// (`add_bos_token`, `add_eos_token`), which transformers lets win over the post_processor.
import { Component, isObject, type JsonObject } from "./huggingface-json.ts";
import type { SpecialTokens } from "./tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const NOTHING: Surroundings = { before: [], after: [] };

const MAKERS: Readonly<Record<string, (component: Component) => Surroundings>> = {
  ByteLevel: () => NOTHING,
  TemplateProcessing: templateOf,
  BertProcessing: clsAndSep,
  RobertaProcessing: clsAndSep,
  Sequence: (component) =>
    component
      .parts("processors")
      .map(make)
      .reduce(
        (outer, inner) => ({
          before: [...inner.before, ...outer.before],
          after: [...outer.after, ...inner.after],
        }),
        NOTHING,
      ),
};

/** Ids that belong before and after a text. Throws UnsupportedError for an unknown post_processor. */
export function surroundingsOf(
  component: Component | undefined,
  config: JsonObject | undefined,
  specials: SpecialTokens,
  vocabulary: Vocabulary,
): Surroundings {
  const stated = component === undefined ? NOTHING : make(component);
  for (const id of [...stated.before, ...stated.after]) vocabulary.text(id); // refuses ids that are not there
  const tokenizerClass = config?.["tokenizer_class"];
  if (typeof tokenizerClass !== "string" || !FOLLOWS_CONFIG.test(tokenizerClass)) return stated;
  return {
    before: choose(config?.["add_bos_token"], specials.bos, stated.before),
    after: choose(config?.["add_eos_token"], specials.eos, stated.after),
  };
}

/** What a flag asks for; without flag or id, what the template says. */
function choose(flag: unknown, id: number | undefined, byTemplate: readonly number[]): readonly number[] {
  if (flag === false) return [];
  return flag === true && id !== undefined ? [id] : byTemplate;
}

const FOLLOWS_CONFIG = /^(?:Llama|CodeLlama|Gemma|Cohere)Tokenizer(?:Fast)?$/;

function make(component: Component): Surroundings {
  return Component.entry(MAKERS, component.type)?.(component) ?? component.unsupported();
}

/** The template of a single text: special tokens, and "A" where the text stands. */
function templateOf(component: Component): Surroundings {
  const tokens = component.object("special_tokens");
  const before: number[] = [];
  const after: number[] = [];
  let ids = before;
  for (const [index, part] of component.list("single").entries()) {
    if (!isObject(part)) component.fail(`single[${index}]`, part, "an object");
    const { SpecialToken: token, Sequence: sequence } = part as Readonly<
      Record<string, { readonly id?: unknown } | undefined>
    >;
    if (sequence !== undefined) {
      ids = after;
      continue;
    }
    const known = tokens[String(token?.id)] as JsonObject | undefined;
    const stated = known?.["ids"];
    if (!Array.isArray(stated)) component.fail("special_tokens", known, `the ids of ${String(token?.id)}`);
    for (const id of stated as unknown[]) {
      if (typeof id !== "number") component.fail("special_tokens", id, "an id");
      ids.push(id);
    }
  }
  return { before, after };
}

/** [token, id] pairs in the fields cls and sep. */
function clsAndSep(component: Component): Surroundings {
  const id = (field: string): number => {
    const pair = component.list(field);
    return typeof pair[1] === "number" ? pair[1] : component.fail(field, pair, "a token and its id");
  };
  return { before: [id("cls")], after: [id("sep")] };
}
