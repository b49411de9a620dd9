// The Markdown that replies are read in: GitHub's, plus maths, plus two rules that Chinese text needs. Text in, HTML
// out, no DOM; raw HTML is shown as text, except a few tags without attributes. Not here: sanitising what comes out
// (sanitize.ts), cutting a growing reply into blocks (blocks.ts), drawing the maths (maths.ts).
import { Marked, Tokenizer, type Token, type TokenizerExtension, type RendererExtension, type Tokens } from "marked";

/** Tags that replies use inside Markdown and that carry no risk without attributes. */
const PLAIN_TAG = /^<\/?(?:br|sub|sup|kbd|mark|u|s|b|i|em|strong|small)\s*\/?>$/i;
const ANY_TAG = /<\/?[a-z][^<>]*>/gi;
/** Where a bare address ends in Chinese text, which has no space after it. */
const ADDRESS_END = /[\s<\u2018-\u201f\u2026\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/u;
const WIDE = /[\u2014\u2018-\u201f\u2026\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/u;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character]);
}

interface MathsToken extends Tokens.Generic {
  readonly tex: string;
  readonly display: boolean;
}

interface MathsForm {
  readonly open: string;
  /** Anchored; group 1 is the TeX. */
  readonly pattern: RegExp;
  readonly display: boolean;
}

// No form crosses an empty line, as in TeX itself; so an opened one cannot swallow what a finished block has shown. The
// bound keeps a text of nothing but opening marks from being searched to its end at each of them.
const INLINE_FORMS: readonly MathsForm[] = [
  { open: "$$", pattern: /^\$\$(?!\$)((?:[^$\n]|\n(?!\s*\n)|\\\$){1,2000}?)\$\$/, display: true },
  // As pandoc: no space inside the marks, no digit after them, so that "$5 and $6" stays money.
  { open: "$", pattern: /^\$(?![\s$])((?:\\[^\n]|[^\\$\n]){0,2000}?[^\\\s$]|[^\\\s$])\$(?![\d$])/, display: false },
  { open: "\\(", pattern: /^\\\(((?:[^\n\\]|\\[^)\n]|\n(?!\s*\n)){1,2000}?)\\\)/, display: false },
  { open: "\\[", pattern: /^\\\[((?:[^\n\\]|\\[^\]]|\n(?!\s*\n)){1,2000}?)\\\]/, display: true },
];

// The end of the text also closes a block form: what is being written shows as maths to come, not as broken Markdown.
const BLOCK_FORMS: readonly MathsForm[] = [
  { open: "$$", pattern: /^ {0,3}\$\$(?!\$)((?:[^$\n]|\n(?!\s*\n)|\\\$)+?)(?:\$\$[ \t]*(?:\n+|$)|$)/, display: true },
  { open: "\\[", pattern: /^ {0,3}\\\[((?:[^\n\\]|\\[^\]]|\n(?!\s*\n))+?)(?:\\\][ \t]*(?:\n+|$)|$)/, display: true },
];

function mathsToken(type: string, forms: readonly MathsForm[], source: string): MathsToken | undefined {
  for (const form of forms) {
    if (!source.trimStart().startsWith(form.open)) continue;
    const match = form.pattern.exec(source);
    if (match !== null) return { type, raw: match[0], tex: match[1].trim(), display: form.display };
  }
  return undefined;
}

/** A placeholder: its text is the TeX, read by maths.ts (and by people, until the maths is drawn). */
function mathsHtml(token: Token): string {
  const { tex, display } = token as MathsToken;
  return `<span data-maths="${display ? "display" : "inline"}" data-source="${escapeHtml(tex)}">${escapeHtml(tex)}</span>`;
}

const blockMaths: TokenizerExtension & RendererExtension = {
  name: "blockMaths",
  level: "block",
  start: (source) => /\n {0,3}(?:\$\$|\\\[)/.exec(source)?.index,
  tokenizer: (source) => mathsToken("blockMaths", BLOCK_FORMS, source),
  renderer: (token) => `<div class="maths-line">${mathsHtml(token)}</div>`,
};

const inlineMaths: TokenizerExtension & RendererExtension = {
  name: "inlineMaths",
  level: "inline",
  start: (source) => {
    const at = source.search(/\$|\\[([]/);
    return at < 0 ? undefined : at;
  },
  tokenizer: (source) => mathsToken("inlineMaths", INLINE_FORMS, source),
  renderer: mathsHtml,
};

/** `**“量”**是`: CommonMark sees no closing mark between punctuation and a letter; Chinese has no space to put there. */
const wideStrong: TokenizerExtension & RendererExtension = {
  name: "wideStrong",
  level: "inline",
  start: (source) => {
    const at = source.indexOf("**");
    return at < 0 ? undefined : at;
  },
  tokenizer(source) {
    const match = /^\*\*(?![\s*])((?:[^*\n]|\*(?!\*))*?[^\s*])\*\*(?!\*)/.exec(source);
    if (match === null || !(WIDE.test(match[1].at(-1)!) || WIDE.test(match[1][0]))) return undefined;
    return { type: "wideStrong", raw: match[0], tokens: this.lexer.inlineTokens(match[1], []) };
  },
  renderer(token) {
    return `<strong>${this.parser.parseInline(token.tokens ?? [])}</strong>`;
  },
};

const showHtml = (html: string): string => {
  let out = "";
  let from = 0;
  for (const match of html.matchAll(ANY_TAG)) {
    out += escapeHtml(html.slice(from, match.index));
    out += PLAIN_TAG.test(match[0]) ? match[0] : escapeHtml(match[0]);
    from = match.index + match[0].length;
  }
  return out + escapeHtml(html.slice(from));
};

const originalTokenizer = new Tokenizer();

export const dialect = new Marked({
  gfm: true,
  breaks: true,
  extensions: [blockMaths, inlineMaths, wideStrong],
  tokenizer: {
    url(source) {
      if (!/^(?:https?:\/\/|www\.)/i.test(source)) return false;
      const end = source.search(ADDRESS_END);
      if (end <= 0) return false;
      originalTokenizer.rules = this.rules;
      originalTokenizer.options = this.options;
      originalTokenizer.lexer = this.lexer;
      return originalTokenizer.url(source.slice(0, end));
    },
  },
  renderer: {
    html: ({ block, text }) => (block ? `<p>${showHtml(text.trimEnd())}</p>` : showHtml(text)),
    code: ({ text, lang }) => {
      const language = (lang ?? "").trim().split(/\s+/)[0];
      return `<pre class="nested-code"><code data-language="${escapeHtml(language)}">${escapeHtml(text)}</code></pre>`;
    },
    // Nothing is fetched from elsewhere: an image is a link that says what it is.
    image: ({ href, text }) =>
      `<a href="${escapeHtml(href)}" data-image="${escapeHtml(href)}">${escapeHtml(text === "" ? href : text)}</a>`,
    table({ header, rows }) {
      const row = (cells: readonly Tokens.TableCell[]): string =>
        `<tr>${cells.map((cell) => this.tablecell(cell)).join("")}</tr>`;
      return `<div class="table" tabindex="0"><table><thead>${row(header)}</thead><tbody>${rows.map(row).join("")}</tbody></table></div>`;
    },
  },
});

/** HTML of one block's Markdown; `definitions` are the reply's link definitions. Not yet safe: see sanitize.ts. */
export function blockToHtml(markdown: string, definitions = ""): string {
  try {
    return dialect.parse(definitions === "" ? markdown : `${markdown}\n\n${definitions}`, { async: false });
  } catch {
    // Nesting deeper than the stack: a thousand ">" in a row. The text itself is what matters then.
    return `<p>${escapeHtml(markdown)}</p>`;
  }
}
