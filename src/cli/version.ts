// The version of this program, from the package.json above it (of the sources or of the published package).
import { readFile } from "node:fs/promises";

export async function version(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
