// Some blocks of a reply, drawn again only when one of them has changed.
import { memo, type ReactElement } from "react";
import { usesDefinitions, type Block } from "../../markdown/blocks.ts";
import { CodeBlockView } from "./code-block-view.tsx";
import { TextBlockView } from "./text-block-view.tsx";

interface BlockGroupProps {
  readonly blocks: readonly Block[];
  readonly definitions: string;
}

export const BlockGroup = memo(
  function BlockGroup({ blocks, definitions }: BlockGroupProps): ReactElement {
    return (
      <div className="block-group">
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
  },
  (before, after) =>
    before.definitions === after.definitions &&
    before.blocks.length === after.blocks.length &&
    before.blocks.every((block, index) => block === after.blocks[index]),
);
