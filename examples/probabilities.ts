import { load } from "liang";

await using model = await load(process.argv[2] ?? "stories260k");
// what else could have come
for await (const part of model.generate("Tim went to the", { temperature: 0, maxTokens: 3, logprobs: 3 })) {
  if (part.type !== "text-delta") continue;
  for (const { token, logprob, top } of part.logprobs ?? []) {
    const others = top.map((one) => `${JSON.stringify(one.token)} ${Math.exp(one.logprob).toFixed(2)}`);
    console.log(JSON.stringify(token), Math.exp(logprob).toFixed(2), "of", others.join(", "));
  }
}
// how likely a text is
const ids = model.tokenize("She was happy.", { bos: true });
const logprobs = await model.score(ids);
console.log(`${ids.length} ids, ${(-logprobs.reduce((a, b) => a + b, 0) / logprobs.length).toFixed(3)} nats a token`);
