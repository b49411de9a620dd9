import assert from "node:assert/strict";
import { test } from "node:test";
import { createInstructions, isExample, replyOf } from "../../recipes/liang-shi/instructions.ts";
import type { Poem } from "../../recipes/liang-shi/prepare.ts";
import { wordings } from "../../recipes/liang-shi/wordings.ts";
import { poemReward } from "../../src/train/rewards/poem.ts";

const poem = (form: string, title: string, text: string): Poem => ({ form, title, author: "", dynasty: "唐", text });
const poems = [
  poem("五绝", "登鹳雀楼", "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"),
  poem("七绝", "早发白帝城 其一", "朝辞白帝彩云间，千里江陵一日还。两岸猿声啼不住，轻舟已过万重山。"),
  poem(
    "五律",
    "春望",
    "国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。烽火连三月，家书抵万金。白头搔更短，浑欲不胜簪。",
  ),
  poem(
    "七律",
    "登高",
    "风急天高猿啸哀，渚清沙白鸟飞回。无边落木萧萧下，不尽长江滚滚来。万里悲秋常作客，百年多病独登台。艰难苦恨繁霜鬓，潦倒新停浊酒杯。",
  ),
  poem("如梦令", "如梦令", "昨夜雨疏风骤。浓睡不消残酒。试问卷帘人，却道海棠依旧。知否。知否。应是绿肥红瘦。"),
  poem("五绝", "坏", "白日依山尽，黄河入海流。欲穷千里目，更上一层山。"),
];

test("examples are in their form and rhyme", () => {
  assert.deepEqual(poems.map(isExample), [true, true, true, true, true, false]);
});

test("a number and a seed always give the same instruction, and what answers it keeps what it asks", () => {
  const maker = createInstructions(poems, { seed: 3 });
  const again = createInstructions(poems, { seed: 3 });
  const kinds = new Map<string, number>();
  for (let index = 999; index >= 0; index--) {
    const { kind, messages, request } = maker.at(index);
    assert.deepEqual(again.at(index), { kind, messages, ...(request !== undefined && { request }) });
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const [{ content: asked }, { content: answer }] = messages;
    assert.doesNotMatch(asked + answer, /[{}]|undefined/);
    if (request === undefined) continue;
    const { parts } = poemReward(answer, request);
    assert.deepEqual([parts.form, parts.rhyme, parts.asked], [1, 1, 1], asked);
  }
  assert.deepEqual([...kinds.keys()].sort(), [
    "beyond",
    "firstLine",
    "form",
    "initials",
    "nextLine",
    "talk",
    "title",
    "words",
  ]);
  assert.notDeepEqual(
    Array.from({ length: 20 }, (_, i) => createInstructions(poems, { seed: 4 }).at(i)),
    Array.from({ length: 20 }, (_, i) => maker.at(i)),
  );
});

test("held-out wordings are in no instruction that is learnt", () => {
  const asked = (heldOut: boolean): Set<string> => {
    const maker = createInstructions(poems, { heldOut });
    return new Set(Array.from({ length: 2000 }, (_, i) => maker.at(i).messages[0].content));
  };
  const [learnt, held] = [asked(false), asked(true)];
  assert.deepEqual(
    [...held].filter((text) => learnt.has(text)),
    [],
  );
  for (const list of Object.values(wordings)) assert.ok(new Set<string>(list).size === list.length);
});

test("a reply has a sentence a line", () => {
  assert.equal(
    replyOf("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"),
    "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。",
  );
});
