// A Tokenizer from a model folder's parsed tokenizer.json, with what tokenizer_config.json and its companions add: which
// tokens have a role. Does what the tokenizers library does, component by component.
import type { AddedToken } from "./added-tokens.ts";
import { assembleTokenizer } from "./assemble.ts";
import { decodingOf } from "./huggingface-decoders.ts";
import { Component, isObject, type JsonObject } from "./huggingface-json.ts";
import { type ModelContext, modelOf } from "./huggingface-models.ts";
import { normalizerOf } from "./huggingface-normalizers.ts";
import { surroundingsOf } from "./huggingface-post-processors.ts";
import { preTokenizationOf } from "./huggingface-pre-tokenizers.ts";
import { findSpecials, type GivenSpecials } from "./special-tokens.ts";
import type { SpecialTokens, TokenClass, Tokenizer } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Parsed files of a model folder; all but the first may be missing. */
export interface HuggingFaceFiles {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  readonly tokenizerConfig?: JsonObject | undefined;
  readonly specialTokensMap?: JsonObject | undefined;
  readonly generationConfig?: JsonObject | undefined;
}

/** An entry of `added_tokens`. */
interface Listed extends AddedToken {
  readonly normalized: boolean;
}

/** Throws UnsupportedError for a component it does not know, FormatError for fields of a wrong type. */
export function tokenizerFromHuggingFace(files: HuggingFaceFiles, file = "tokenizer.json"): Tokenizer {
  const root = new Component(files.tokenizer, "tokenizer", file);
  const modelPart = root.part("model") ?? root.fail("model", undefined, "an object");
  const preTokenization = preTokenizationOf(root.part("pre_tokenizer"));
  const decoding = decodingOf(root.part("decoder"));
  const model = modelOf(modelPart);
  const listed = listedTokens(root, model.texts);
  const vocabulary = vocabularyOf(model.texts, listed, model.hasByteTokens || decoding.byteTokens, file);
  const specials = specialsOf(files, vocabulary, new Set(listed.map(({ id }) => id)), model.unknown);
  const normalizer = root.part("normalizer");
  const normalize = normalizer && normalizerOf(normalizer);
  const afterNormalizing = listed.filter(({ normalized }) => normalized);
  const context: ModelContext = { vocabulary, preTokenization, inModel: (id) => model.texts[id] !== undefined };
  const { before, after } = surroundingsOf(root.part("post_processor"), files.tokenizerConfig, specials, vocabulary);
  return assembleTokenizer({
    kind: model.kind(preTokenization),
    vocabulary,
    specials,
    added: listed.filter(({ normalized }) => !normalized),
    // Such a token's own text is normalised too.
    ...(afterNormalizing.length > 0
      ? {
          addedAfterNormalizing: afterNormalizing.map((token) => ({
            ...token,
            text: normalize?.(token.text) ?? token.text,
          })),
        }
      : {}),
    ...(normalize === undefined ? {} : { normalize }),
    ...(preTokenization.prepare === undefined ? {} : { prepare: preTokenization.prepare }),
    encoder: () => model.encoder(context),
    ...(model.fusesUnknown ? { fusedUnknown: specials.unknown } : {}),
    rules: decoding.rules,
    before,
    after,
  });
}

function listedTokens(root: Component, texts: readonly (string | undefined)[]): Listed[] {
  const idOf = new Map<string, number>();
  const contents = new Set(root.parts("added_tokens").map((part) => part.text("content")));
  for (const [id, text] of texts.entries()) if (text !== undefined && contents.has(text)) idOf.set(text, id);
  return root.parts("added_tokens").map((part) => {
    const text = part.text("content");
    const special = part.flag("special", false);
    return {
      id: idOf.get(text) ?? part.id("id", texts.length + contents.size), // the model's own entry of that text first
      text,
      special,
      stripLeft: part.flag("lstrip", false),
      stripRight: part.flag("rstrip", false),
      singleWord: part.flag("single_word", false),
      normalized: part.flag("normalized", !special),
    };
  });
}

function vocabularyOf(
  modelTexts: readonly (string | undefined)[],
  listed: readonly Listed[],
  hasByteTokens: boolean,
  file: string,
): Vocabulary {
  const size = listed.reduce((most, { id }) => Math.max(most, id + 1), modelTexts.length);
  const texts: string[] = [];
  const classes: TokenClass[] = [];
  for (let id = 0; id < size; id++) {
    const text = modelTexts[id];
    texts.push(text ?? `\u0000unused ${id}`);
    const isByte = hasByteTokens && text !== undefined && /^<0x[0-9A-F]{2}>$/.test(text);
    classes.push(text === undefined ? "unused" : isByte ? "byte" : "normal");
  }
  for (const { id, text, special } of listed) {
    texts[id] = text;
    classes[id] = special ? "control" : "user-defined";
  }
  return new Vocabulary(texts, classes, file);
}

/** Roles from tokenizer_config.json and special_tokens_map.json, and from generation_config.json what ends a reply. */
function specialsOf(
  files: HuggingFaceFiles,
  vocabulary: Vocabulary,
  listed: ReadonlySet<number>,
  modelUnknown: string | undefined,
): SpecialTokens {
  const idOf = (role: string) => {
    for (const source of [files.tokenizerConfig, files.specialTokensMap]) {
      const value = source?.[`${role}_token`];
      const text = isObject(value) ? value["content"] : value;
      if (typeof text === "string") return vocabulary.idOf(text);
    }
    return undefined;
  };
  const given: GivenSpecials = {
    bos: idOf("bos"),
    eos: idOf("eos"),
    unknown: modelUnknown === undefined ? idOf("unk") : vocabulary.idOf(modelUnknown),
    pad: idOf("pad"),
    separator: idOf("sep"),
    classifier: idOf("cls"),
    mask: idOf("mask"),
  };
  const specials = findSpecials(vocabulary, given, (id) => listed.has(id));
  const stated = files.generationConfig?.["eos_token_id"];
  const endings = new Set(specials.endOfGeneration);
  for (const id of Array.isArray(stated) ? stated : [stated]) {
    if (typeof id === "number" && id >= 0 && id < vocabulary.size) endings.add(id);
  }
  return { ...specials, endOfGeneration: endings };
}
