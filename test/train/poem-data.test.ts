import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cleanName, cleanPoem } from "../../recipes/liang-shi/clean.ts";
import { preparePoems } from "../../recipes/liang-shi/prepare.ts";
import type { RawPoem } from "../../recipes/liang-shi/sources.ts";
import { simplified } from "../../src/text/simplified.ts";

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
