// Colours code: highlight.js with the languages people ask for, fetched when the first code block appears. Returns HTML
// made of escaped text and class names only. Unknown languages stay plain: guessing is slow and often wrong.
type Highlighter = (typeof import("./languages.ts"))["default"];

let highlighter: Highlighter | undefined;
let loading: Promise<Highlighter> | undefined;

/** Longer code stays plain: colouring it would hold up the page, and nobody reads that much in a chat. */
const CHARACTERS_MAX = 60_000;

export async function loadHighlighter(): Promise<void> {
  loading ??= import("./languages.ts").then((module) => module.default);
  try {
    highlighter = await loading;
  } catch {
    loading = undefined; // the server was away; the next block tries again
  }
}

/** HTML of coloured code, or undefined while the highlighter is not there or does not know the language. */
export function highlight(code: string, language: string): string | undefined {
  if (highlighter === undefined || code.length > CHARACTERS_MAX) return undefined;
  if (highlighter.getLanguage(language) === undefined) return undefined;
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}

async function highlightOnceLoaded(root: Element): Promise<void> {
  await loadHighlighter();
  if (highlighter !== undefined && root.isConnected) highlightNested(root);
}

/** Colours the code blocks inside lists and quotes, which Markdown's HTML holds; each once. */
export function highlightNested(root: Element): void {
  const blocks = [...root.querySelectorAll<HTMLElement>("code[data-language]:not(:has(*))")];
  const known = blocks.filter((block) => (block.dataset.language ?? "") !== "");
  if (known.length === 0) return;
  if (highlighter === undefined) {
    void highlightOnceLoaded(root);
    return;
  }
  for (const block of known) {
    const html = highlight(block.textContent, block.dataset.language ?? "");
    if (html !== undefined) block.innerHTML = html;
  }
}
