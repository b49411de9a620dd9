import { describeModel, isAbort, LiangError, load, resolveModel } from "liang";

// before anything is loaded: what it is, and whether it fits
const path = await resolveModel(process.argv[2] ?? "stories260k");
const { name, family, parameters, memory } = await describeModel(path, { window: 256 });
console.log(name, family, parameters, "parameters;", memory.totalBytes, "of", memory.availableBytes, "bytes");

await using model = await load(path, { window: 256 });
try {
  const tooLong = "again and ".repeat(1000);
  for await (const part of model.chat([{ role: "user", content: tooLong }])) console.log(part);
} catch (error) {
  if (!(error instanceof LiangError)) throw error;
  console.log(error.code, "-", error.message); // nothing is ever cut silently
}

const stop = new AbortController();
try {
  for await (const part of model.generate("Once", { signal: stop.signal })) {
    if (part.type === "text-delta") stop.abort();
  }
} catch (error) {
  console.log(isAbort(error) ? "stopped" : error);
}
