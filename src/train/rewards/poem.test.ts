import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCopyIndex } from "./copying.ts";
import { checkForm, classify } from "./forms.ts";
import { poemReward } from "./poem.ts";
import { faultPlaces } from "./places.ts";
import { checkRepeats } from "./repeats.ts";
import { checkCiRhyme, checkRhyme } from "./rhyme.ts";
import { checkCiTones, checkTones, lonelyLevel } from "./tones.ts";

const climbing = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。";
const spring = "国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。烽火连三月，家书抵万金。白头搔更短，浑欲不胜簪。";
const dream = "昨夜雨疏风骤。浓睡不消残酒。试问卷帘人，却道海棠依旧。知否。知否。应是绿肥红瘦。";

describe("forms", () => {
  test("are told by the lines", () => {
    assert.equal(classify(climbing), "五绝");
    assert.equal(classify(spring), "五律");
    assert.equal(classify(dream), "如梦令");
    assert.equal(classify("白日依山尽，黄河入海流。"), "五古");
    assert.equal(classify("白日依山尽，黄河入海。"), undefined);
    assert.equal(classify(""), undefined);
  });

  test("traditional script and marks inside a line change nothing", () => {
    assert.equal(classify("白日依山盡，黃河入海流。\n欲窮千里目，更上一層樓。"), "五绝");
    assert.equal(checkForm("白日、依山尽，黄河入海流。欲穷千里目，更上一层楼。", "五绝").fits, true);
  });

  test("a check says what is wrong", () => {
    assert.deepEqual(checkForm(climbing, "五绝"), { fits: true, score: 1, faults: [], expected: [5, 5, 5, 5] });
    assert.deepEqual(checkForm("白日依山尽，黄河入大海流。欲穷千里目。", "五绝").faults, [
      "3 lines, expected 4",
      "line 2 has 6 characters, expected 5",
    ]);
    assert.deepEqual(checkForm("白日依山x，黄河入海流。欲穷千里目，更上一层楼。", "五绝").faults, [
      '"x" is no character of a poem',
    ]);
    assert.equal(checkForm("", "五绝").score, 0);
    assert.throws(() => checkForm(climbing, "十四行诗"), /expected 五绝/);
  });
});

describe("rhyme", () => {
  test("the even lines share a group", () => {
    assert.deepEqual(checkRhyme(climbing), { rhymes: true, score: 1, group: "平尤", faults: [] });
    assert.equal(checkRhyme(spring).group, "平侵");
  });

  test("a line outside the group is named", () => {
    const check = checkRhyme(spring.replace("抵万金", "抵万钱"));
    assert.equal(check.rhymes, false);
    assert.equal(check.score, 0.75);
    assert.deepEqual(check.faults, ["of the rhymes 深心钱簪, line 6 is not in 平侵"]);
  });

  test("a level rhyme can be asked for", () => {
    const oblique = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。";
    assert.equal(checkRhyme(oblique).rhymes, true);
    assert.equal(checkRhyme(oblique, { level: true }).rhymes, false);
  });

  test("a ci rhymes by its pattern", () => {
    const { ciForm } = checkForm(dream, "如梦令");
    assert.equal(checkCiRhyme(dream, ciForm!).rhymes, true);
    const check = checkCiRhyme(dream.replace("红瘦", "红叶"), ciForm!);
    assert.equal(check.rhymes, false);
    assert.ok(check.score > 0.5 && check.score < 1);
  });
});

describe("tones", () => {
  test("a regulated poem keeps the pattern", () => {
    assert.deepEqual(checkTones(climbing), { regulated: true, score: 1, faults: [] });
    assert.equal(checkTones(spring).regulated, true);
  });

  test("lines that do not oppose or adjoin are named", () => {
    const turned = "白日依山尽，黄河入海流。更上一层楼，欲穷千里目。"; // the third line opens with an oblique second character
    const check = checkTones(turned);
    assert.equal(check.regulated, false);
    assert.ok(check.faults.some((fault) => fault.includes("失粘") || fault.includes("失对")));
    assert.ok(check.score < 1);
  });

  test("a lone level tone is found, and not where a reading saves it", () => {
    assert.deepEqual(lonelyLevel("白日依山尽，夜深客子归。"), [1]);
    assert.deepEqual(lonelyLevel("白日依山尽，醉多适不愁。"), []); // 不 has a level reading
    assert.deepEqual(lonelyLevel(climbing), []);
  });

  test("a ci keeps most of the places that its form fixes", () => {
    const { ciForm } = checkForm(dream, "如梦令");
    assert.equal(checkCiTones(dream, ciForm!).score, 1);
    assert.ok(checkCiTones(dream.replace("雨疏", "疏雨"), ciForm!).score < 1);
  });
});

describe("copying and repeats", () => {
  const index = createCopyIndex();
  index.add(climbing);
  index.add(spring);

  test("a copied line and a copied pair are found, others are not", () => {
    assert.deepEqual(index.copiesIn("黄河入海流，城春草木深。感时花溅泪，举头望明月。"), {
      lines: [0, 1, 2],
      pairs: [1],
    });
    assert.deepEqual(index.copiesIn("举头望明月，低头思故乡。"), { lines: [], pairs: [] });
  });

  test("ten thousand poems are all found again, and none that is not there", () => {
    const many = createCopyIndex();
    const letter = (i: number): string => String.fromCodePoint(0x4e00 + (i % 20000));
    const poem = (i: number): string =>
      Array.from({ length: 5 }, (_, k) => letter(i * (k + 1) + k * 7919)).join("") +
      "，" +
      letter(i * 31) +
      "山水天云。";
    for (let i = 0; i < 10_000; i++) many.add(poem(i));
    for (let i = 0; i < 10_000; i += 97) assert.deepEqual(many.copiesIn(poem(i)), { lines: [0, 1], pairs: [0] });
    for (let i = 10_001; i < 20_000; i += 97) assert.deepEqual(many.copiesIn(poem(i)).pairs, []);
  });

  test("doubled characters are no repeats, lines said twice are the worst", () => {
    assert.equal(checkRepeats("悠悠我思，青青子衿。").score, 1);
    assert.deepEqual(checkRepeats("白日依山尽，白日依山尽。"), {
      score: 0,
      characters: ["白", "日", "依", "山", "尽"],
      lines: [1],
    });
  });
});

describe("the reward", () => {
  test("of a known poem is 1 without a corpus and 0 with it", () => {
    assert.equal(poemReward(climbing, { form: "五绝" }).total, 1);
    const index = createCopyIndex();
    index.add(climbing);
    const copied = poemReward(climbing, { form: "五绝" }, index);
    assert.equal(copied.total, 0);
    assert.equal(copied.parts.own, 0);
    assert.ok(copied.faults.includes("lines 1 and 2 are copied"));
  });

  test("falls with each fault", () => {
    const total = (text: string): number => poemReward(text, { form: "五绝" }).total;
    const noRhyme = climbing.replace("层楼", "层山");
    assert.ok(total(noRhyme) < 1 && total(noRhyme) > 0.5);
    const long = climbing.replace("更上", "更上上");
    assert.ok(total(long) < total(climbing));
    assert.ok(total("我不知道") < 0.1);
    assert.equal(total(""), 0);
  });

  test("counts what was asked for", () => {
    assert.equal(poemReward(climbing, { form: "五绝", initials: "白黄欲更" }).total, 1);
    assert.equal(poemReward(climbing, { form: "五绝", initials: "白黄春夏" }).parts.asked, 0.5);
    assert.equal(poemReward(climbing, { form: "五绝", firstLine: "白日依山尽，" }).total, 1);
    assert.equal(poemReward(climbing, { form: "五绝", firstLine: "红日依山尽" }).total, 0.75);
    assert.equal(poemReward(climbing, { form: "五绝", words: ["黄河", "明月"] }).parts.asked, 0.5);
  });

  test("the line that was given is no copy", () => {
    const index = createCopyIndex();
    index.add(climbing);
    const text = "白日依山尽，清风过小楼。故人千里外，独坐一江秋。";
    assert.equal(poemReward(text, { form: "五绝", firstLine: "白日依山尽" }, index).parts.own, 1);
    assert.equal(poemReward(text, { form: "五绝" }, index).parts.own, 0.75);
  });
});

describe("places of faults", () => {
  const at = (text: string, form: string): string[] =>
    faultPlaces(text, form).map((place) => `${text.slice(Math.max(0, place - 1), place)}>${text[place] ?? "end"}`);

  test("a poem without faults has none", () => {
    for (const [text, form] of [
      [climbing, "五绝"],
      [spring, "五律"],
      [dream, "如梦令"],
    ]) {
      assert.deepEqual(faultPlaces(text, form), []);
    }
  });

  test("of lengths it is the first character too many, the mark that comes too early, the line too many, the end", () => {
    assert.deepEqual(at("白日依山尽，黄河入大海流。欲穷千里目，更上层楼。", "五绝"), ["海>流"]);
    assert.deepEqual(at("白日依山尽，\n黄河入海。欲穷千里目，更上一层楼。", "五绝"), ["海>。"]);
    assert.deepEqual(at(`${climbing}白日依山尽。`, "五绝"), ["。>白"]);
    assert.deepEqual(at("白日依山尽，黄河入海流。", "五绝"), ["。>end"]);
    assert.deepEqual(at("白日依山尽，黄河x海流。欲穷千里目，更上一层楼。", "五绝"), ["河>x"]);
    assert.deepEqual(at("昨夜雨疏风骤。浓睡不消、残酒来。", "如梦令"), ["酒>来"]);
  });

  test("of rhymes it is the line outside the group, and of regular poems the character that comes again", () => {
    assert.deepEqual(at(spring.replace("抵万金", "抵万钱"), "五律"), ["万>钱"]);
    assert.deepEqual(at(spring.replace("抵万金", "抵万心"), "五律"), ["万>心"]);
    assert.deepEqual(at("白日依山尽，黄河入海天。欲穷千里目，更上一层楼。", "五绝"), ["层>楼"]);
  });
});
