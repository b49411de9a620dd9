// Makes an element's children equal to a fragment's while keeping every node that is the same, so that what is read,
// selected or already drawn (maths, coloured code) stays as it is while a reply grows at its end.

/** Elements whose inside was redrawn after they were made; equal source means equal. */
function drawnSource(element: Element): string | undefined {
  if (element.hasAttribute("data-maths")) return element.getAttribute("data-source") ?? "";
  if (element.hasAttribute("data-language")) return element.textContent;
  return undefined;
}

export function morphChildren(target: Element, fresh: ParentNode): void {
  const wanted = [...fresh.childNodes];
  const present = [...target.childNodes];
  for (const [index, node] of wanted.entries()) {
    const old = present[index];
    if (old === undefined) target.append(node);
    else if (!morphNode(old, node)) old.replaceWith(node);
  }
  for (const extra of present.slice(wanted.length)) extra.remove();
}

/** False when the old node cannot become the fresh one and must be replaced. */
function morphNode(old: ChildNode, fresh: ChildNode): boolean {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return false;
  if (!(old instanceof Element) || !(fresh instanceof Element)) {
    growText(old, fresh);
    return true;
  }
  const drawn = drawnSource(fresh);
  if (drawn !== undefined) return drawn === drawnSource(old) && sameAttributes(old, fresh);
  if (!sameAttributes(old, fresh)) copyAttributes(old, fresh);
  morphChildren(old, fresh);
  return true;
}

/** Adding at the end keeps a selection inside the old text; assigning the whole would drop it. */
function growText(old: ChildNode, fresh: ChildNode): void {
  const before = old.nodeValue ?? "";
  const after = fresh.nodeValue ?? "";
  if (before === after) return;
  if (old instanceof CharacterData && after.startsWith(before)) old.appendData(after.slice(before.length));
  else old.nodeValue = after;
}

function sameAttributes(old: Element, fresh: Element): boolean {
  if (old.attributes.length !== fresh.attributes.length) return false;
  return [...fresh.attributes].every(({ name, value }) => old.getAttribute(name) === value);
}

function copyAttributes(old: Element, fresh: Element): void {
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
}
