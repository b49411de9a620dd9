import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cleanName, cleanPoem } from "../../recipes/liang-shi/clean.ts";
import { preparePoems } from "../../recipes/liang-shi/prepare.ts";
import { type RawPoem, readPoems } from "../../recipes/liang-shi/sources.ts";
import { simplified } from "../../src/text/simplified.ts";
import { classify, regularForms } from "../../src/train/rewards/forms.ts";
import { linesOf } from "../../src/train/rewards/lines.ts";
import { pingshuiReadings } from "../../src/train/rewards/phonology.ts";
import { checkRhyme } from "../../src/train/rewards/rhyme.ts";
import { checkTones } from "../../src/train/rewards/tones.ts";
import { sharedData } from "../shared-data.ts";

const poem = (text: string, kind: RawPoem["kind"] = "poem", title = ""): RawPoem => ({
  kind,
  dynasty: "唐",
  title,
  author: "王之渙",
  text,
});
const climbing = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。";

describe("cleaning", () => {
  test("notes and brackets go, what editors supplied stays", () => {
    assert.deepEqual(cleanPoem("夫不出長蓬蒿，穉子無憂走（一作「奏」）風雨。"), {
      text: "夫不出长蓬蒿，穉子无忧走风雨。",
    });
    assert.deepEqual(cleanPoem("高[姒]幄披，捫天啓極（〖1〗京兆（住）持。。"), { text: "高姒幄披，扪天启极。" });
    assert.equal(cleanName("涼州詞二首  一（一作他題）"), "凉州词二首 一");
  });

  test("marks have one form, and a poem ends", () => {
    assert.deepEqual(cleanPoem("問春桂:桃李正芬華,，年光隨處滿 "), { text: "问春桂，桃李正芬华，年光随处满。" });
  });

  test("what is no poem is refused by name", () => {
    assert.deepEqual(cleanPoem("□願紫宸居得一，永欣丹扆御通三。"), { refused: "lost characters" });
    assert.deepEqual(cleanPoem("疲{艹/尔}竟何人，灑涕巴東峽。"), { refused: "lost characters" });
    assert.deepEqual(cleanPoem("詩題：原無題句：微臣自愧頭如雪，也向鈞天侍玉皇。"), { refused: "fragment" });
    assert.deepEqual(cleanPoem("兩句無後"), { refused: "fragment" });
    assert.deepEqual(cleanPoem("（缺）"), { refused: "empty" });
    assert.deepEqual(cleanPoem(`${"也".repeat(30)}，春。`), { refused: "prose" });
  });
});

describe("preparing", () => {
  test("duplicates in either script and near-duplicates are left out, the first stays", async () => {
    const { train, validation, counts } = await preparePoems(
      [
        poem(climbing, "poem", "登鸛雀樓"),
        poem(simplified(climbing)),
        poem("白日依山盡，黃河入海流。欲窮千里目，更上一重樓。"),
        poem("床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。"),
      ],
      { original: true },
    );
    assert.equal(counts.duplicates, 1);
    assert.equal(counts.nearDuplicates, 1);
    const all = [...train, ...validation];
    assert.equal(all.length, 2);
    assert.deepEqual(
      all.find(({ title }) => title === "登鹳雀楼"),
      {
        form: "五绝",
        title: "登鹳雀楼",
        author: "王之涣",
        dynasty: "唐",
        text: simplified(climbing),
        original: climbing,
      },
    );
  });

  test("a ci has its tune as form where its lines are one of the tune's", async () => {
    const dream = "昨夜雨疏風驟。濃睡不消殘酒。試問捲簾人，却道海棠依舊。知否。知否。應是綠肥紅瘦。";
    const { train, validation } = await preparePoems([poem(dream, "ci", "如夢令"), poem(climbing, "ci", "如夢令")]);
    assert.deepEqual([...train, ...validation].map(({ form }) => form).sort(), ["如梦令", "词"]);
  });

  test("a poem keeps its side of the split whatever else is there", async () => {
    const letters = "春江花月夜山水风云雨雪";
    const line = (i: number, k: number): string =>
      Array.from({ length: 5 }, (_, j) => letters[(i * (j + 3) + k * 5 + ((i * j * k) >> 2)) % letters.length]).join(
        "",
      );
    const many = Array.from({ length: 400 }, (_, i) =>
      poem(`${line(i, 1)}，${line(i, 2)}。${line(i, 3)}，${line(i, 4)}。`),
    );
    const side = async (poems: readonly RawPoem[]): Promise<Map<string, string>> => {
      const { train, validation } = await preparePoems(poems, { validationShare: 0.3 });
      return new Map([
        ...train.map(({ text }) => [text, "train"] as const),
        ...validation.map(({ text }) => [text, "validation"] as const),
      ]);
    };
    const [some, all] = [await side(many.slice(0, 100)), await side(many)];
    const moved = [...some].filter(([text, where]) => all.has(text) && all.get(text) !== where);
    assert.ok(new Set(some.values()).size === 2);
    assert.ok(moved.length <= 2, `${moved.length} moved`); // only by joining a cluster that a later poem made
  });
});

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
