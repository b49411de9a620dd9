// The gate between a model's words and the page: HTML text in, a DOM fragment out that holds only the tags and attributes
// listed here. Runs after Markdown, on its result, so that nothing the Markdown makes can slip by.
import DOMPurify from "dompurify";

const TAGS =
  "a p br hr h1 h2 h3 h4 h5 h6 strong em b i u s del mark small sub sup kbd code pre blockquote ul ol li " +
  "table thead tbody tr th td input span div";
/** The one attribute that holds an address. */
const ADDRESSES = ["href"];
const ATTRIBUTES =
  "title start align type checked disabled class tabindex data-maths data-source data-language data-image".split(" ");
/** The classes that dialect.ts writes; a model's text cannot name any, since its HTML is escaped, but two locks hold better. */
const CLASSES = new Set(["maths-line", "nested-code", "table"]);

const purifier = DOMPurify();

purifier.addHook("afterSanitizeAttributes", (node) => {
  for (const name of Array.from(node.classList)) if (!CLASSES.has(name)) node.classList.remove(name);
  if (node.nodeName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (node.nodeName === "INPUT") {
    // Task lists only: never a field that could be mistaken for the page's own.
    if (node.getAttribute("type") !== "checkbox") node.remove();
    else node.setAttribute("disabled", "");
  }
});

export function sanitize(html: string): DocumentFragment {
  return purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS.split(" "),
    ALLOWED_ATTR: [...ADDRESSES, ...ATTRIBUTES],
    // Without this every attribute's value would have to look like an address.
    ADD_URI_SAFE_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // Whole addresses only: a relative link would act on this server.
    ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
    RETURN_DOM_FRAGMENT: true,
  });
}
