// Cuts a reply into top-level blocks while it grows. Blocks that can no longer change keep their identity, so that only
// the end of a long reply is read and drawn again. Pure text; what a block looks like is dialect.ts's business.
import { Lexer, type Token, type Tokens } from "marked";
import { dialect } from "./dialect.ts";

export interface TextBlock {
  readonly kind: "text";
  /** Where it starts in the reply: the same block keeps its key. */
  readonly key: number;
  readonly source: string;
}

export interface CodeBlock {
  readonly kind: "code";
  readonly key: number;
  readonly source: string;
  readonly language: string;
  readonly code: string;
  /** The closing fence has come. */
  readonly closed: boolean;
}

export type Block = TextBlock | CodeBlock;

export interface Blocks {
  readonly blocks: readonly Block[];
  /** Link definitions of the whole reply, as Markdown. */
  readonly definitions: string;
}

export interface BlockSplitter {
  /** The blocks of `text`; quick when `text` begins with the one given before. */
  update(text: string): Blocks;
}

/** A list may take in the next paragraph, a paragraph may become a heading: the last two blocks stay open. */
const OPEN_BLOCKS = 2;
/** A long text is fed in pieces from this size on, so that each reading stays short. */
const PIECE = 4096;

export function createBlockSplitter(): BlockSplitter {
  let read = ""; // the text given so far, line ends as "\n"
  let openFrom = 0; // offset of the first block that may still change
  let closed: Block[] = [];
  let closedDefinitions = "";
  let current: Blocks = { blocks: [], definitions: "" };

  function readOpenPart(text: string): void {
    const tokens = blockTokens(text.slice(openFrom));
    const before = new Map(current.blocks.map((block) => [block.key, block]));
    const solid = tokens.filter((token) => token.type !== "space").length;
    const blocks: Block[] = [];
    let definitions = "";
    let at = openFrom;
    let seen = 0;
    for (const token of tokens) {
      if (token.type !== "space") {
        if (token.type === "def") definitions += token.raw.trimEnd() + "\n";
        else blocks.push(reuse(before.get(at), toBlock(token, at)));
        seen += 1;
      }
      at += token.raw.length;
      if (seen === solid - OPEN_BLOCKS && blocks.length + definitions.length > 0 && token.type !== "space") {
        closed = [...closed, ...blocks.splice(0)];
        closedDefinitions += definitions;
        definitions = "";
        openFrom = at;
      }
    }
    current = { blocks: [...closed, ...blocks], definitions: closedDefinitions + definitions };
  }

  return {
    update(given) {
      const text = given.replaceAll(/\r\n?/g, "\n");
      if (!text.startsWith(read)) {
        openFrom = 0;
        closed = [];
        closedDefinitions = "";
        current = { blocks: [], definitions: "" };
        read = "";
      }
      if (text.length === read.length) return current;
      let end = read.length;
      while (end < text.length) {
        // An open block that does not end (a long list) is read again each time: by doubling, twice in all.
        const open = Math.max(0, end - openFrom);
        end = Math.min(text.length, Math.max(end, openFrom) + Math.max(PIECE, open));
        readOpenPart(text.slice(0, end));
      }
      read = text;
      return current;
    },
  };
}

function blockTokens(text: string): Token[] {
  try {
    return new Lexer(dialect.defaults).blockTokens(text, []);
  } catch {
    return [{ type: "paragraph", raw: text, text, tokens: [] }]; // nesting deeper than the stack: shown as it is
  }
}

function toBlock(token: Token, key: number): Block {
  if (token.type !== "code") return { kind: "text", key, source: token.raw };
  const { raw, text, lang, codeBlockStyle } = token as Tokens.Code;
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  const closed =
    codeBlockStyle === "indented" ||
    (fence !== undefined && raw.trimEnd().length > fence.length && endsWithFence(raw, fence));
  const language = (lang ?? "").trim().split(/\s+/)[0].toLowerCase();
  return { kind: "code", key, source: raw, language, code: text, closed };
}

function endsWithFence(raw: string, fence: string): boolean {
  const lines = raw.trimEnd().split("\n");
  const last = lines.at(-1)!.trim();
  return lines.length > 1 && last.length >= fence.length && last === fence[0].repeat(last.length);
}

function reuse(old: Block | undefined, fresh: Block): Block {
  return old !== undefined && old.kind === fresh.kind && old.source === fresh.source ? old : fresh;
}

/** True where a block's look depends on the reply's link definitions. */
export function usesDefinitions(block: Block): boolean {
  return block.kind === "text" && block.source.includes("[");
}
