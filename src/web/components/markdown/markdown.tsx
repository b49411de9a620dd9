// A text in Markdown, perhaps still growing. Finished blocks are drawn once; see markdown/blocks.ts. Blocks stand in
// groups, so that of a long reply only the last group is compared, and groups out of sight are not laid out.
import { useState, type ReactElement } from "react";
import { createBlockSplitter } from "../../markdown/blocks.ts";
import { BlockGroup } from "./block-group.tsx";

interface MarkdownProps {
  readonly text: string;
  /** More may come: the end carries the writing mark. */
  readonly live: boolean;
}

/** A screen or two of text: fewer and watching the groups costs more than it saves, more and too much is laid out. */
const GROUP_BLOCKS = 32;

export function Markdown({ text, live }: MarkdownProps): ReactElement {
  const [splitter] = useState(createBlockSplitter);
  const { blocks, definitions } = splitter.update(text);
  const groups: ReactElement[] = [];
  for (let at = 0; at < blocks.length; at += GROUP_BLOCKS) {
    groups.push(<BlockGroup key={at} blocks={blocks.slice(at, at + GROUP_BLOCKS)} definitions={definitions} />);
  }
  const className = `markdown${live ? " live" : ""}${groups.length > 2 ? " long" : ""}`;
  return <div className={className}>{groups}</div>;
}
