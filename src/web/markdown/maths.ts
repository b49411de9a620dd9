// Draws the maths placeholders that dialect.ts leaves: KaTeX is fetched when the first one appears. Until then, and where
// TeX is wrong, its source stands there as it was written. KaTeX sets styles through the DOM, which the
// Content-Security-Policy allows; its HTML text would not be.
type Katex = (typeof import("katex"))["default"];

let loading: Promise<Katex> | undefined;
let katex: Katex | undefined;

async function loadKatex(): Promise<Katex> {
  const [module] = await Promise.all([import("katex"), import("katex/dist/katex.min.css")]);
  katex = module.default;
  return katex;
}

/** Draws every placeholder under `root` that is not drawn yet; at once when KaTeX is there. */
export function drawMaths(root: Element): void {
  const open = [...root.querySelectorAll<HTMLElement>("[data-maths]:not([data-maths] *)")].filter(
    (element) => element.firstElementChild === null && !failed.has(element),
  );
  if (open.length === 0) return;
  if (katex !== undefined) {
    for (const element of open) draw(katex, element);
    return;
  }
  void drawOnceLoaded(open);
}

async function drawOnceLoaded(open: readonly HTMLElement[]): Promise<void> {
  loading ??= loadKatex();
  try {
    const loaded = await loading;
    for (const element of open) if (element.isConnected) draw(loaded, element);
  } catch {
    loading = undefined; // the server was away: the source stays, and the next formula tries again
  }
}

/** Elements whose TeX could not be drawn: not tried again at each new word. */
const failed = new WeakSet<Element>();

function draw(renderer: Katex, element: HTMLElement): void {
  const tex = element.dataset.source ?? "";
  try {
    const holder = document.createElement("span");
    renderer.render(tex, holder, {
      displayMode: element.dataset.maths === "display",
      throwOnError: true,
      strict: "ignore",
      trust: false,
      maxExpand: 500,
      maxSize: 20,
    });
    element.replaceChildren(...holder.childNodes);
  } catch {
    failed.add(element);
    element.textContent = tex;
  }
}
