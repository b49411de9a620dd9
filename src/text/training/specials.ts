// The special tokens of a tokenizer that is trained: first in the vocabulary, named by role in tokenizer_config.json.
// Texts never become them: their spellings in a training text are text, and no learned token is spelled like one.
import { withoutUndefined } from "../../base/collections.ts";
import { UsageError } from "../../base/errors.ts";
import { addedTokenJson } from "../tokenizer-json.ts";
import type { JsonObject } from "../huggingface-json.ts";

/** Tokens by role; a token may have several. */
export interface SpecialRoles {
  readonly unknown?: string | undefined;
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
  readonly pad?: string | undefined;
  readonly classifier?: string | undefined;
  readonly separator?: string | undefined;
  readonly mask?: string | undefined;
}

export interface SpecialOptions {
  /** In place of the kind's own roles. */
  readonly roles?: SpecialRoles | undefined;
  /** Other tokens for some roles; "": none. */
  readonly changedRoles?: SpecialRoles | undefined;
  /** Further ones, such as the marks of a chat template. */
  readonly tokens?: readonly string[] | undefined;
  /** Whether `bos: true` of `encode` puts BOS before a text, EOS after it. Default false. */
  readonly addBos?: boolean | undefined;
  readonly addEos?: boolean | undefined;
}

export interface Specials {
  /** By id. */
  readonly texts: readonly string[];
  readonly roles: SpecialRoles;
  /** Token before and after a text. */
  readonly around: readonly [before: string | undefined, after: string | undefined];
}

const CONFIG_NAMES: Readonly<Record<keyof SpecialRoles, string>> = {
  unknown: "unk_token",
  bos: "bos_token",
  eos: "eos_token",
  pad: "pad_token",
  classifier: "cls_token",
  separator: "sep_token",
  mask: "mask_token",
};
/** Order of ids: BERT's tokenizers begin with [PAD], SentencePiece's with <unk> <s> </s>. */
const ID_ORDER: readonly (keyof SpecialRoles)[] = ["pad", "unknown", "bos", "eos", "classifier", "separator", "mask"];

/** Throws UsageError for an empty token, and for a BOS or EOS that is asked for and not named. */
export function specialsOf(options: SpecialOptions, kindRoles: SpecialRoles): Specials {
  const { tokens = [], addBos = false, addEos = false, changedRoles = {} } = options;
  const given = { ...(options.roles ?? kindRoles), ...withoutUndefined<SpecialRoles>(changedRoles) };
  const roles: SpecialRoles = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== ""));
  const named = ID_ORDER.map((role) => roles[role]).filter((text) => text !== undefined);
  const texts = [...new Set([...named, ...tokens])];
  if (texts.includes("")) throw new UsageError("A special token is empty.", { field: "special" });
  const around = (isAdded: boolean, role: "bos" | "eos"): string | undefined => {
    if (!isAdded) return undefined;
    if (roles[role] !== undefined) return roles[role];
    throw new UsageError(`${role.toUpperCase()} is to be added, and no token is named for it.`, { field: role });
  };
  // BERT's pair stands around a text whenever it is there
  const before = roles.classifier ?? around(addBos, "bos");
  const after = roles.separator ?? around(addEos, "eos");
  return { texts, roles, around: [before, after] };
}

export const addedTokensJson = ({ texts }: Specials): JsonObject[] =>
  texts.map((content, id) => addedTokenJson(id, content, true));

/** The post_processor that puts tokens around a text, and around each of a pair; null where there are none. */
export function postProcessorJson({ texts, around: [before, after] }: Specials): JsonObject | null {
  const added = [...new Set([before, after])].filter((text) => text !== undefined);
  if (added.length === 0) return null;
  const token = (text: string | undefined, type_id: number): JsonObject[] =>
    text === undefined ? [] : [{ SpecialToken: { id: text, type_id } }];
  const first = [...token(before, 0), { Sequence: { id: "A", type_id: 0 } }, ...token(after, 0)];
  const second = [{ Sequence: { id: "B", type_id: 1 } }, ...token(after, 1)];
  return {
    type: "TemplateProcessing",
    single: first,
    pair: [...first, ...second],
    special_tokens: Object.fromEntries(
      added.map((text) => [text, { id: text, ids: [texts.indexOf(text)], tokens: [text] }]),
    ),
  };
}

export function tokenizerConfigJson({ roles, around: [before, after] }: Specials): JsonObject {
  const named = ID_ORDER.filter((role) => roles[role] !== undefined);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...Object.fromEntries(named.map((role) => [CONFIG_NAMES[role], roles[role]])),
    add_bos_token: before !== undefined && before === roles.bos,
    add_eos_token: after !== undefined && after === roles.eos,
    clean_up_tokenization_spaces: false,
  };
}
