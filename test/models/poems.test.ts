// The whole corpus of poems: what the phonology says of all that are there, against counts that were made without it. Here
// and not with the other tests for its size; what a poem's checks do is shown by small ones (src/train/rewards).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readPoems } from "../../recipes/liang-shi/sources.ts";
import { simplified } from "../../src/text/simplified.ts";
import { classify, regularForms } from "../../src/train/rewards/forms.ts";
import { linesOf } from "../../src/train/rewards/lines.ts";
import { pingshuiReadings } from "../../src/train/rewards/phonology.ts";
import { checkRhyme } from "../../src/train/rewards/rhyme.ts";
import { checkTones } from "../../src/train/rewards/tones.ts";
import { sharedData } from "../shared-data.ts";

const core = sharedData("pretrain/zh/chinese-poetry-core.tar.xz");
const song = sharedData("pretrain/zh/song-poems.jsonl.xz");

/** Poems; whose line ends share a group in %, where the ends can be level, where the poem is regulated too; how many are. */
const TANG: Readonly<Record<string, readonly number[]>> = {
  五律: [14514, 94.1, 97.4, 98.4, 8431],
  七律: [7982, 93.7, 97.8, 98.0, 5972],
  五绝: [3976, 90.6, 94.7, 96.5, 1930],
  七绝: [10570, 97.0, 98.2, 98.6, 8293],
};

describe("real poems", { skip: core.skip || song.skip }, () => {
  test("Tang poems rhyme and keep the tones as often as counted from the tables, in either script", async () => {
    const tang: string[] = [];
    for await (const { kind, text } of readPoems([core.path])) if (kind === "poem") tang.push(text);
    for (const fold of [(text: string) => text, simplified]) {
      const found = Object.fromEntries(Object.keys(regularForms).map((form) => [form, [0, 0, 0, 0, 0, 0]]));
      for (const original of tang) {
        const form = classify(original);
        if (form === undefined || found[form] === undefined) continue;
        const text = fold(original);
        const ends = linesOf(text).lines.flatMap((line, i) => (i % 2 === 1 ? [line.at(-1)!] : []));
        const canBeLevel = ends.every((end) => pingshuiReadings(end).some(({ tone }) => tone === "平"));
        const isLevel = canBeLevel && checkRhyme(text, { level: true }).rhymes;
        const isRegulated = canBeLevel && checkTones(text).regulated;
        const facts = [true, checkRhyme(text).rhymes, canBeLevel, isLevel, isRegulated, isLevel && isRegulated];
        for (const [i, fact] of facts.entries()) found[form][i] += Number(fact);
      }
      for (const [form, [poems, all, level, regulatedShare, regulated]] of Object.entries(TANG)) {
        const [count, rhyming, levels, rhymingLevel, regular, rhymingRegular] = found[form];
        const near = (part: number, whole: number, percent: number, what: string): void =>
          assert.ok(Math.abs((100 * part) / whole - percent) <= 0.15, `${form} ${what}: ${(100 * part) / whole}`);
        assert.equal(count, poems, form);
        near(rhyming, count, all, "one group");
        near(rhymingLevel, levels, level, "one level group");
        near(rhymingRegular, regular, regulatedShare, "regulated and one group");
        assert.ok(Math.abs(regular / regulated - 1) <= 0.003, `${form} regulated: ${regular}`);
      }
    }
  });

  test("the corpus is the one that the plan counts: 329,745 poems of 20.67 million characters", async () => {
    const texts = new Set<string>();
    for await (const { text } of readPoems([core.path, song.path])) texts.add(text);
    const letters = new Set<string>();
    let characters = 0;
    for (const text of texts) {
      for (const letter of text) {
        letters.add(letter);
        characters++;
      }
    }
    assert.deepEqual([texts.size, characters, letters.size], [329_745, 20_668_332, 14_502]);
  });
});
