import { load } from "liang";

await using model = await load(process.argv[2] ?? "stories260k");
for await (const part of model.chat([{ role: "user", content: "Once upon a time" }], { maxTokens: 100 })) {
  if (part.type === "text-delta") process.stdout.write(part.text);
}
process.stdout.write("\n");
