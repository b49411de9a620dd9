// The files that go with the message, each with a way to take it out, and why others were refused.
import type { ReactElement } from "react";
import type { TextFiles } from "../../hooks/use-text-files.ts";
import { useWords } from "../../hooks/use-words.ts";
import { IconButton } from "../parts/icon-button.tsx";

export function FileChips({ files, refused, remove }: TextFiles): ReactElement | null {
  const { t, bytes } = useWords();
  if (files.length === 0 && refused.length === 0) return null;
  return (
    <div className="file-chips">
      {files.map((file) => (
        <span key={`${file.name} ${file.bytes}`} className="file-chip">
          <span className="file-name">{file.name}</span>
          <span className="number">{bytes(file.bytes)}</span>
          <IconButton icon="close" label={t("removeFile", { name: file.name })} onClick={() => remove(file)} />
        </span>
      ))}
      {refused.map((sentence) => (
        <p key={sentence} className="file-refused" role="alert">
          {sentence}
        </p>
      ))}
    </div>
  );
}
