// A text in Markdown, perhaps still growing. Finished blocks are drawn once; see markdown/blocks.ts.
import { useState, type ReactElement } from "react";
import { createBlockSplitter, usesDefinitions } from "../../markdown/blocks.ts";
import { CodeBlockView } from "./code-block-view.tsx";
import { TextBlockView } from "./text-block-view.tsx";

interface MarkdownProps {
  readonly text: string;
  /** More may come: the end carries the writing mark. */
  readonly live: boolean;
}

export function Markdown({ text, live }: MarkdownProps): ReactElement {
  const [splitter] = useState(createBlockSplitter);
  const { blocks, definitions } = splitter.update(text);
  return (
    <div className={live ? "markdown live" : "markdown"}>
      {blocks.map((block) =>
        block.kind === "code" ? (
          <CodeBlockView key={block.key} block={block} />
        ) : (
          <TextBlockView
            key={block.key}
            source={block.source}
            definitions={usesDefinitions(block) ? definitions : ""}
          />
        ),
      )}
    </div>
  );
}
