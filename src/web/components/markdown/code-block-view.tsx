// One block of code: its language, a way to wrap and to copy it, and its colours. While it grows, whole lines are coloured
// in the time that is left over, and the line being written stands behind them uncoloured.
import { memo, type ReactElement } from "react";
import { useColours } from "../../hooks/use-colours.ts";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import type { CodeBlock } from "../../markdown/blocks.ts";
import { preferences, setPreferences } from "../../state/preferences.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { IconButton } from "../parts/icon-button.tsx";

export const CodeBlockView = memo(function CodeBlockView({ block }: { readonly block: CodeBlock }): ReactElement {
  const { t } = useWords();
  const wrap = useStore(preferences, ({ wrapCode }) => wrapCode);
  const coloured = useColours(block);
  return (
    <figure className="block code-block">
      <figcaption>
        <span className="code-language">{block.language}</span>
        <IconButton
          icon="wrap"
          label={t("wrap")}
          aria-pressed={wrap}
          onClick={() => setPreferences({ wrapCode: !wrap })}
        />
        <CopyButton text={block.code} label={t("copyCode")} />
      </figcaption>
      <pre className={wrap ? "wrap" : ""} tabIndex={0}>
        {coloured === undefined ? (
          <code>{block.code}</code>
        ) : (
          <code>
            {/* highlight.js gives escaped text in spans with classes, nothing else */}
            <span dangerouslySetInnerHTML={{ __html: coloured.html }} />
            {block.code.slice(coloured.characters)}
          </code>
        )}
      </pre>
    </figure>
  );
});
