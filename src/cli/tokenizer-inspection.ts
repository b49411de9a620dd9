// What `liang tokenizer inspect` shows: the vocabulary in figures, what texts in several languages come to, where a text
// splits. Plain data first, so that --json and the terminal say the same.
import type { Tokenizer } from "../text/tokenizer.ts";
import { languageSamples } from "./language-samples.ts";
import { paint, tabulate, type Style } from "./terminal.ts";

export interface Compression {
  readonly language: string;
  readonly bytes: number;
  readonly characters: number;
  /** Undefined where blanks part no words. */
  readonly words: number | undefined;
  readonly tokens: number;
  /** Tokens for what the vocabulary does not spell: the text cannot be had back from these. */
  readonly unknown: number;
}

export interface Inspection {
  readonly kind: string;
  readonly vocabularySize: number;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** Tokens that texts never become, with the roles that they have. */
  readonly specials: readonly { readonly id: number; readonly text: string; readonly roles: readonly string[] }[];
  readonly languages: readonly Compression[];
  /** Of the text that was asked about. */
  readonly pieces?: readonly { readonly id: number; readonly text: string }[];
}

/** `text`: in place of the samples. */
export function inspectTokenizer(tokenizer: Tokenizer, text?: string): Inspection {
  const samples = text === undefined ? languageSamples : [{ language: "this text", text, hasWords: /\s/.test(text) }];
  return {
    kind: tokenizer.kind,
    vocabularySize: tokenizer.vocabularySize,
    addBos: tokenizer.addBos,
    addEos: tokenizer.addEos,
    specials: specialsOf(tokenizer),
    languages: samples.map((sample) => {
      const ids = tokenizer.encode(sample.text);
      return {
        language: sample.language,
        bytes: new TextEncoder().encode(sample.text).length,
        characters: Array.from(sample.text).length,
        words: sample.hasWords ? sample.text.split(/\s+/).filter((word) => word !== "").length : undefined,
        tokens: ids.length,
        unknown: ids.filter((id) => id === tokenizer.specials.unknown).length,
      };
    }),
    ...(text === undefined
      ? {}
      : { pieces: tokenizer.encode(text).map((id) => ({ id, text: shownToken(tokenizer, id) })) }),
  };
}

function specialsOf(tokenizer: Tokenizer): Inspection["specials"] {
  const { endOfGeneration, ...roles } = tokenizer.specials;
  return Array.from({ length: tokenizer.vocabularySize }, (_, id) => id)
    .filter((id) => tokenizer.isSpecial(id))
    .map((id) => ({
      id,
      text: tokenizer.tokenText(id),
      roles: [
        ...Object.entries(roles).flatMap(([role, of]) => (of === id ? [role] : [])),
        ...(endOfGeneration.has(id) ? ["ends a reply"] : []),
      ],
    }));
}

/** What a token stands for; of bytes that are no whole characters their hexadecimal form. */
function shownToken(tokenizer: Tokenizer, id: number): string {
  const bytes = tokenizer.tokenBytes(id);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `‹${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ")}›`;
  }
}

const SPECIALS_SHOWN = 16;

export function inspectionText(inspection: Inspection, stream = process.stdout): string {
  const { kind, vocabularySize, addBos, addEos, specials, pieces } = inspection;
  const around = [addBos ? "BOS before" : "", addEos ? "EOS after" : ""].filter((text) => text !== "");
  const lines = [`${kind}, ${vocabularySize} tokens${around.length > 0 ? `; ${around.join(" and ")} a text` : ""}`, ""];
  for (const { id, text, roles } of specials.slice(0, SPECIALS_SHOWN)) {
    lines.push(`${String(id).padStart(7)}  ${text}  ${paint("faint", roles.join(", "), stream)}`.trimEnd());
  }
  if (specials.length > SPECIALS_SHOWN)
    lines.push(`         and ${specials.length - SPECIALS_SHOWN} special tokens more`);
  if (specials.length > 0) lines.push("");
  if (pieces !== undefined) lines.push(splitText(pieces, stream), "");
  lines.push(tabulate([HEADINGS, ...inspection.languages.map(row)]));
  return lines.join("\n");
}

const HEADINGS = ["", "bytes", "tokens", "bytes/token", "tokens/character", "tokens/word", "unknown"];

const row = ({ language, bytes, characters, words, tokens, unknown }: Compression): string[] => [
  language,
  String(bytes),
  String(tokens),
  ratio(bytes, tokens),
  ratio(tokens, characters),
  words === undefined ? "-" : ratio(tokens, words),
  unknown === 0 ? "-" : String(unknown),
];

const ratio = (a: number, b: number): string => (b === 0 ? "-" : (a / b).toFixed(2));

const BANDS: readonly Style[] = ["band", "otherBand"];

/** Tokens on alternating colours; without colours, each between bars. */
function splitText(pieces: NonNullable<Inspection["pieces"]>, stream: NodeJS.WriteStream): string {
  const painted = pieces.map(({ text }, index) => {
    const [shown, rest] = [text.replaceAll("\n", "⏎").replaceAll("\t", "⇥"), text.includes("\n") ? "\n" : ""];
    return [paint(BANDS[index % BANDS.length], shown, stream), rest];
  });
  const isColoured = painted.some(([shown], index) => shown !== pieces[index].text && shown.includes("\x1b["));
  return painted.map(([shown, rest]) => shown + (isColoured ? "" : "|") + rest).join("");
}
