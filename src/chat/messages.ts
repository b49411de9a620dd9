// Messages as chat APIs send them → messages as chat templates read them: text parts joined, `developer` as `system`,
// null where there is nothing to say, only the fields that templates know. Not here: the form of tool calls
// (text/template-tools.ts).
import { UnsupportedError, UsageError, show } from "../base/errors.ts";
import type { TemplateMessage } from "../text/template.ts";
import type { Message } from "./types.ts";

const ROLES: readonly string[] = ["system", "developer", "user", "assistant", "tool"] satisfies Message["role"][];

/**
 * `source` is the template's text: one that speaks of developers gets that role as it is. Throws UsageError that names
 * the field, UnsupportedError for parts that are no text.
 */
export function templateMessages(messages: readonly Message[], source: string): TemplateMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new UsageError("A conversation needs at least one message.", { field: "messages" });
  }
  const knowsDeveloper = source.includes("developer");
  return messages.map((message: Message, index) => {
    const field = `messages[${index}]`;
    if (!ROLES.includes(message.role)) {
      throw new UsageError(`${field}.role is ${show(message.role)}, expected one of ${ROLES.join(", ")}.`, {
        field: `${field}.role`,
      });
    }
    const calls = message.tool_calls?.length ? message.tool_calls : undefined;
    return {
      role: message.role === "developer" && !knowsDeveloper ? "system" : message.role,
      content: textOf(message.content, `${field}.content`) ?? (calls === undefined ? "" : null),
      ...(message.name !== undefined && { name: message.name }),
      ...(message.reasoning_content !== undefined && { reasoning_content: message.reasoning_content }),
      ...(message.tool_call_id !== undefined && { tool_call_id: message.tool_call_id }),
      ...(calls !== undefined && { tool_calls: calls.map((call) => ({ type: "function", ...call })) }),
    };
  });
}

function textOf(content: Message["content"] | undefined, field: string): string | null {
  if (content === null || content === undefined) return null;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    throw new UsageError(`${field} is ${show(content)}, expected a text or a list of parts.`, { field });
  }
  return content
    .map((part: { type: string; text?: string }, index) => {
      if (part.type === "text" && typeof part.text === "string") return part.text;
      throw new UnsupportedError(`${field}[${index}] is of type ${show(part.type)}; this model reads text only.`);
    })
    .join("");
}
