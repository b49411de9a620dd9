// ◀ 2/3 ▶ between the versions of a message; not there while there is one.
import type { ReactElement } from "react";
import type { ConversationMessage } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { showVersion } from "../../state/conversation.ts";
import { IconButton } from "../parts/icon-button.tsx";

interface VersionSwitchProps {
  readonly message: ConversationMessage;
  readonly versions: readonly ConversationMessage[];
  readonly disabled: boolean;
}

export function VersionSwitch({ message, versions, disabled }: VersionSwitchProps): ReactElement | null {
  const { t, integer } = useWords();
  if (versions.length < 2) return null;
  const at = versions.findIndex(({ id }) => id === message.id);
  const go = (step: number): void => void showVersion(versions[at + step]);
  return (
    <span className="version-switch">
      <IconButton icon="left" label={t("previousVersion")} disabled={disabled || at <= 0} onClick={() => go(-1)} />
      <span className="number">{t("versionOf", { index: integer(at + 1), count: integer(versions.length) })}</span>
      <IconButton
        icon="right"
        label={t("nextVersion")}
        disabled={disabled || at >= versions.length - 1}
        onClick={() => go(1)}
      />
    </span>
  );
}
