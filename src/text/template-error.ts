// What goes wrong with a chat template. A template that refuses a conversation is no fault of the template's: that is
// a UsageError with the template's own words (template.ts).
import { LiangError } from "../base/errors.ts";
import type { ErrorFacts } from "../base/errors.ts";

/** A chat template that is not valid Jinja, fails on this conversation, or runs over its budget. */
export class TemplateError extends LiangError {
  /** "source": it does not render; "time", "memory", "output": it ran over that budget. */
  readonly reason: "source" | "time" | "memory" | "output";

  constructor(reason: TemplateError["reason"], message: string, facts: ErrorFacts = {}) {
    super("bad_template", message, facts, 3);
    this.reason = reason;
  }
}
