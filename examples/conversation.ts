import { load, type Message } from "liang";

await using model = await load(process.argv[2] ?? "stories260k", {
  onProgress: ({ label, done, total }) => process.stderr.write(`\r${label}: ${done} of ${total ?? "?"} `),
});
const messages: Message[] = [];
for (const question of ["There was a little cat.", "The cat had a friend."]) {
  messages.push({ role: "user", content: question });
  let reply = "";
  for await (const part of model.chat(messages, { temperature: 0, maxTokens: 40 })) {
    if (part.type === "text-delta") reply += part.text;
    // what the first turn read is still there: only what is new is read in the second
    if (part.type === "end") console.log(question, reply, part.finishReason, part.usage);
  }
  messages.push({ role: "assistant", content: reply });
}
