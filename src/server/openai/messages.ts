// The messages and tools of a chat request, checked field by field and given on as the door has them.
import * as z from "zod";
import { UsageError } from "../../base/errors.ts";
import type { Message, Tool } from "../../chat/types.ts";

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

const toolCall = z.object({
  id: z.string("expected a string").optional(),
  type: z.literal("function", 'expected "function"').optional(),
  function: z.object(
    {
      name: z.string("expected a string"),
      arguments: z.union([z.string(), z.record(z.string(), z.unknown())], "expected JSON as a string, or an object"),
    },
    "expected an object",
  ),
});

const message = z.object(
  {
    role: z.enum(ROLES, `expected one of ${ROLES.join(", ")}`),
    content: z
      .union(
        [
          z.string(),
          z.array(z.object({ type: z.string("expected a string"), text: z.string("expected a string").optional() })),
        ],
        "expected a string or an array of parts",
      )
      .nullish(),
    name: z.string("expected a string").nullish(),
    tool_calls: z.array(toolCall, "expected an array").nullish(),
    tool_call_id: z.string("expected a string").nullish(),
  },
  "expected an object with role and content",
);

export const messagesField = z.array(message, "expected an array of messages").min(1, "expected at least one message");

const tool = z.object(
  {
    type: z.literal("function", 'expected "function"'),
    function: z.object(
      {
        name: z.string("expected a string"),
        description: z.string("expected a string").optional(),
        parameters: z.record(z.string(), z.unknown(), "expected an object").optional(),
      },
      "expected an object",
    ),
  },
  "expected an object",
);

export const toolsField = z.array(tool, "expected an array of tools").nullish();

export const toolChoiceField = z
  .union(
    [
      z.enum(["none", "auto", "required"]),
      z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) }),
    ],
    'expected "none", "auto", "required" or {type: "function", function: {name}}',
  )
  .nullish();

/** The door's messages. Throws UsageError for parts that are no text, and for content that is missing. */
export function toMessages(messages: z.output<typeof messagesField>): Message[] {
  return messages.map(({ role, content, name, tool_calls: calls, tool_call_id: callId }, index) => {
    if (Array.isArray(content)) {
      content.forEach((part, number) => {
        const field = `messages[${index}].content[${number}]`;
        if (part.type !== "text") {
          throw new UsageError(`${field}.type is ${JSON.stringify(part.type)}: only text parts are supported yet.`, {
            field: `${field}.type`,
          });
        }
        if (part.text === undefined) throw new UsageError(`${field}.text is missing.`, { field: `${field}.text` });
      });
    }
    if ((content === undefined || content === null) && (role !== "assistant" || !calls?.length)) {
      const field = `messages[${index}].content`;
      throw new UsageError(`${field} is missing: expected a string or an array of parts.`, { field });
    }
    return {
      role,
      content: content ?? null,
      ...(name == null ? {} : { name }),
      ...(calls == null ? {} : { tool_calls: calls }),
      ...(callId == null ? {} : { tool_call_id: callId }),
    };
  });
}

/** The tools for the template: none when the client chose none. */
export function toTools(
  tools: z.output<typeof toolsField>,
  choice: z.output<typeof toolChoiceField>,
): readonly Tool[] | undefined {
  if (tools == null || tools.length === 0 || choice === "none") return undefined;
  if (
    typeof choice === "object" &&
    choice !== null &&
    !tools.some((one) => one.function.name === choice.function.name)
  ) {
    throw new UsageError(`tool_choice names ${JSON.stringify(choice.function.name)}, which is not among the tools.`, {
      field: "tool_choice",
    });
  }
  return tools;
}
