// Which chat template a model gets: the caller's, else its file's, else one of ours by the vocabulary's turn markers.
// A file's template that fails is never replaced by another one.
import type { Model } from "../models/model.ts";
import { chooseBuiltIn } from "../text/template-builtin.ts";
import { builtInTemplate, createTemplate } from "../text/template.ts";
import type { ChatTemplate, TemplateSources, TemplateVocabulary } from "../text/template.ts";
import type { SpecialTokens, Tokenizer } from "../text/tokenizer.ts";
import type { ModelInfo } from "./types.ts";

export interface ChosenTemplate {
  readonly template: ChatTemplate;
  readonly from: ModelInfo["template"];
}

/** What a caller asks for; a model that reads a source knows no conversation, whatever marks its words have. */
export const templateOption = ({ encoder }: Pick<Model, "encoder">, asked?: string): string | undefined =>
  asked ?? (encoder === undefined ? undefined : "source");

/** `option`: a built-in's name or Jinja text. Throws UsageError for a name that no built-in has. */
export function chooseTemplate(sources: TemplateSources, tokenizer: Tokenizer, option?: string): ChosenTemplate {
  const vocabulary = templateVocabulary(tokenizer);
  if (option !== undefined && /\{[{%#]/.test(option)) {
    return { template: createTemplate({ main: option, named: {} }, vocabulary), from: "file" };
  }
  if (option === undefined && (sources.main !== undefined || Object.keys(sources.named).length > 0)) {
    return { template: createTemplate(sources, vocabulary), from: "file" };
  }
  const isOwnToken = (text: string): boolean => {
    const id = tokenizer.idOf(text);
    return id !== undefined && ["control", "user-defined"].includes(tokenizer.tokenClass(id));
  };
  const name = option ?? chooseBuiltIn(isOwnToken);
  return { template: builtInTemplate(name, vocabulary), from: name === "none" ? "none" : "built-in" };
}

/** Template variables by the role whose text they are. */
const VARIABLES: Readonly<Record<string, keyof SpecialTokens>> = {
  bos_token: "bos",
  eos_token: "eos",
  unk_token: "unknown",
  pad_token: "pad",
  sep_token: "separator",
  cls_token: "classifier",
  mask_token: "mask",
};

function templateVocabulary(tokenizer: Tokenizer): TemplateVocabulary {
  const controlTexts: string[] = [];
  for (let id = 0; id < tokenizer.vocabularySize; id++) {
    if (tokenizer.isSpecial(id)) controlTexts.push(tokenizer.tokenText(id));
  }
  const variables = Object.entries(VARIABLES).map(([name, role]) => {
    const id = tokenizer.specials[role];
    return [name, typeof id === "number" ? tokenizer.tokenText(id) : ""];
  });
  return { controlTexts, variables: Object.fromEntries(variables) as Record<string, string> };
}
