// The sentence for a failure: our own where the page can say it in the reader's language with the numbers, the server's
// where it knows more.
import type { ApiError } from "../../server/api-types.ts";
import type { MessageKey } from "../i18n/en.ts";
import type { Translate } from "../i18n/translate.ts";
import { ownModels } from "./own-models.ts";

const BY_CODE: Readonly<Record<string, MessageKey>> = {
  unreachable: "errorUnreachable",
  out_of_memory: "errorMemory",
  reply_running: "errorBusy",
  internal_error: "errorInside",
  worker_ended: "errorWorker",
  page_failed: "errorPage",
  import_too_large: "errorImportTooLarge",
  import_no_json: "errorImportNoJson",
  conversation_gone: "errorNotFound",
};

export function errorSentence(error: ApiError, t: Translate, integer: (value: number) => string): string {
  if (error.code === "context_length_exceeded" && error.promptTokens !== undefined && error.window !== undefined) {
    return t("errorContext", { prompt: integer(error.promptTokens), window: integer(error.window) });
  }
  // a page without a server has no terminal
  if (error.code === "internal_error" && ownModels.get().own !== undefined) return t("errorPage");
  const key = BY_CODE[error.code] ?? (error.type === "authentication_error" ? "errorKey" : undefined);
  return key === undefined ? error.message : t(key);
}
