// What the person wrote, as it was written: no Markdown, line ends kept. Can be edited and sent again.
import { memo, type ReactElement } from "react";
import type { ConversationMessage } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { editMessage } from "../../state/conversation.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { UserText } from "./user-text.tsx";
import { EditBox } from "./edit-box.tsx";
import { VersionSwitch } from "./version-switch.tsx";

interface UserMessageProps {
  readonly message: ConversationMessage;
  readonly versions: readonly ConversationMessage[];
  readonly editing: boolean;
  /** A reply is being written: nothing else can be asked for. */
  readonly busy: boolean;
}

export const UserMessage = memo(function UserMessage({
  message,
  versions,
  editing,
  busy,
}: UserMessageProps): ReactElement {
  const { t } = useWords();
  if (editing) return <EditBox message={message} />;
  return (
    <article className="message user" aria-label={t("you")}>
      <UserText text={message.content} />
      <div className="actions">
        <VersionSwitch message={message} versions={versions} disabled={busy} />
        <CopyButton text={message.content} label={t("copy")} />
        <IconButton icon="pen" label={t("edit")} disabled={busy} onClick={() => editMessage(message.id)} />
      </div>
    </article>
  );
}, sameMessage);

interface Versioned {
  readonly versions: readonly ConversationMessage[];
}

/** Lists of versions are made anew at each drawing; what they hold is what counts. */
export function sameMessage<Props extends Versioned>(before: Props, after: Props): boolean {
  const names = Object.keys(after) as (keyof Props)[];
  return (
    names.every((name) => name === "versions" || before[name] === after[name]) &&
    sameList(before.versions, after.versions)
  );
}

const sameList = (before: readonly ConversationMessage[], after: readonly ConversationMessage[]): boolean =>
  before.length === after.length && before.every((message, index) => message.id === after[index].id);
