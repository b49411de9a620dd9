// The files of the message being written: dropped anywhere on the page, pasted, or chosen. What cannot be added is told.
import { useCallback, useEffect, useState } from "react";
import { FILE_BYTES_MAX, readTextFile, type TextFile } from "../state/text-files.ts";
import { areModelFiles, openModelFiles, ownModels } from "../state/own-models.ts";
import { useWords } from "./use-words.ts";

export interface TextFiles {
  readonly files: readonly TextFile[];
  /** Sentences about files that were refused. */
  readonly refused: readonly string[];
  /** Something is held over the page, to be dropped. */
  readonly hovering: boolean;
  readonly add: (list: Iterable<File>) => Promise<void>;
  readonly remove: (file: TextFile) => void;
  readonly clear: () => void;
}

export function useTextFiles(): TextFiles {
  const { t, bytes } = useWords();
  const [files, setFiles] = useState<readonly TextFile[]>([]);
  const [refused, setRefused] = useState<readonly string[]>([]);
  const [hovering, setHovering] = useState(false);

  const add = useCallback(
    async (list: Iterable<File>): Promise<void> => {
      const read = await Promise.all([...list].map(readTextFile));
      setFiles((before) => [...before, ...read.flatMap((one) => (one.kind === "text" ? [one.file] : []))]);
      setRefused(
        read.flatMap((one) => {
          if (one.kind === "text") return [];
          if (one.kind === "not-text") return [t("notText", { name: one.name })];
          return [t("fileTooLarge", { name: one.name, size: bytes(one.bytes), limit: bytes(FILE_BYTES_MAX) })];
        }),
      );
    },
    [t, bytes],
  );

  useEffect(() => {
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setHovering(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setHovering(false);
    };
    const drop = (event: DragEvent): void => {
      setHovering(false);
      if (!holdsFiles(event)) return;
      event.preventDefault();
      const dropped = [...(event.dataTransfer?.files ?? [])];
      if (ownModels.get().own !== undefined && areModelFiles(dropped)) void openModelFiles(dropped);
      else void add(dropped);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [add]);

  const remove = useCallback((file: TextFile) => setFiles((before) => before.filter((one) => one !== file)), []);
  const clear = useCallback(() => {
    setFiles([]);
    setRefused([]);
  }, []);
  return { files, refused, hovering, add, remove, clear };
}
