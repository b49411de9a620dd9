// One block of Markdown that is no code. Its HTML is sanitised, then taken over node by node, so that what has been read
// stays still while the block grows.
import { memo, useLayoutEffect, useRef, type ReactElement } from "react";
import { blockToHtml } from "../../markdown/dialect.ts";
import { highlightNested } from "../../markdown/highlight.ts";
import { drawMaths } from "../../markdown/maths.ts";
import { morphChildren } from "../../markdown/morph.ts";
import { sanitize } from "../../markdown/sanitize.ts";

interface TextBlockProps {
  readonly source: string;
  readonly definitions: string;
}

export const TextBlockView = memo(function TextBlockView({ source, definitions }: TextBlockProps): ReactElement {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (element.current === null) return;
    morphChildren(element.current, sanitize(blockToHtml(source, definitions)));
    drawMaths(element.current);
    highlightNested(element.current);
  }, [source, definitions]);
  return <div ref={element} className="block" />;
});
