// Writes src/text/simplified-table.ts from OpenCC's dictionaries (Apache-2.0):
//   git clone https://github.com/BYVoid/OpenCC && node scripts/node.mjs scripts/make-simplified-table.ts OpenCC
// Of several simplified forms the first is taken, as OpenCC does.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder of a checkout of OpenCC.");

const read = (name: string): [string, string][] =>
  readFileSync(join(folder, "data/dictionary", name), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t"))
    .map(([from, to]) => [from, to.trim().split(" ")[0]]);

const characters = read("TSCharacters.txt").filter(([from, to]) => from !== to);
const phrases = read("TSPhrases.txt");
const width = (text: string): number => Array.from(text).length;
for (const [from, to] of [...characters, ...phrases]) {
  if (width(from) !== width(to)) throw new Error(`${from} becomes ${to}: not as many characters.`);
}

writeFileSync(
  join(import.meta.dirname, "../src/text/simplified-table.ts"),
  `// Data table: made by scripts/make-simplified-table.ts from OpenCC (github.com/BYVoid/OpenCC, data/dictionary/TSCharacters.txt
// and TSPhrases.txt), Apache-2.0, Copyright Carbo Kuo and contributors. Do not edit.

/** A traditional character and its simplified form, and the next two, and so on. */
export const characters =
  ${JSON.stringify(characters.flat().join(""))};

/** Phrases and their simplified forms: words whose characters alone would become others, and some around these. */
export const phrases =
  ${JSON.stringify(phrases.map((pair) => pair.join("=")).join(" "))};
`,
);
console.log(`${characters.length} characters, ${phrases.length} phrases`);
