import assert from "node:assert/strict";
import { test } from "node:test";
import { caps, shortcutFor, shortcuts, type Pressed } from "./shortcuts.ts";

const press = (key: string, held: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

test("every shortcut answers to its own keys on both kinds of keyboard, and to no other's", () => {
  for (const { name, keys } of shortcuts) {
    for (const { key, mod = false, shift = false } of keys) {
      const held = { shiftKey: shift };
      assert.equal(shortcutFor(press(key, { ...held, ctrlKey: mod }), false, false), name);
      assert.equal(shortcutFor(press(key, { ...held, metaKey: mod }), false, true), name);
    }
  }
});

test("letters typed into a field stay letters; combinations work there too", () => {
  for (const key of ["n", "r", "e", "m", "i", "/", "?", ","])
    assert.equal(shortcutFor(press(key), true, false), undefined);
  assert.equal(shortcutFor(press("K", { ctrlKey: true }), true, false), "search");
  assert.equal(shortcutFor(press("Escape"), true, false), "stop");
});

test("a question mark is one with or without Shift, as the keyboard has it", () => {
  assert.equal(shortcutFor(press("?", { shiftKey: true }), false, false), "sheet");
  assert.equal(shortcutFor(press("?"), false, false), "sheet");
});

test("keys of the browser and the system pass by", () => {
  assert.equal(shortcutFor(press("r", { ctrlKey: true }), false, false), undefined);
  assert.equal(shortcutFor(press("n", { altKey: true }), false, false), undefined);
  assert.equal(shortcutFor(press("k", { ctrlKey: true }), false, true), undefined);
});

test("caps are written as the keyboard prints them", () => {
  assert.deepEqual(caps({ key: "Enter", mod: true, shift: true }, false), ["Ctrl", "Shift", "Enter"]);
  assert.deepEqual(caps({ key: "o", mod: true, shift: true }, true), ["⌘", "⇧", "O"]);
});
