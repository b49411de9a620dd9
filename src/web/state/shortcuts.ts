// The keyboard: which keys do what. Pure, so that the table, the sheet on "?" and the tests share it. "mod" is Command on
// a Mac, Control elsewhere. Keys that browsers keep for themselves (mod+N, T, W) are not to be had.
import type { MessageKey } from "../i18n/en.ts";

export type ShortcutName =
  "new" | "search" | "stop" | "regenerate" | "editLast" | "model" | "settings" | "sidebar" | "sheet" | "focus";

export interface Keys {
  readonly key: string;
  readonly mod?: boolean;
  readonly shift?: boolean;
  /** Only while no field has the focus: a letter typed into a message is a letter. */
  readonly outsideFields?: boolean;
}

export interface Shortcut {
  readonly name: ShortcutName;
  readonly label: MessageKey;
  readonly keys: readonly Keys[];
}

export const shortcuts: readonly Shortcut[] = [
  {
    name: "new",
    label: "keyNew",
    keys: [
      { key: "o", mod: true, shift: true },
      { key: "n", outsideFields: true },
    ],
  },
  {
    name: "search",
    label: "keySearch",
    keys: [
      { key: "k", mod: true },
      { key: "/", outsideFields: true },
    ],
  },
  { name: "stop", label: "keyStop", keys: [{ key: "Escape" }] },
  {
    name: "regenerate",
    label: "keyRegenerate",
    keys: [
      { key: "Enter", mod: true, shift: true },
      { key: "r", outsideFields: true },
    ],
  },
  {
    name: "editLast",
    label: "keyEditLast",
    keys: [
      { key: "e", mod: true, shift: true },
      { key: "e", outsideFields: true },
    ],
  },
  {
    name: "model",
    label: "keyModel",
    keys: [
      { key: "m", mod: true, shift: true },
      { key: "m", outsideFields: true },
    ],
  },
  {
    name: "settings",
    label: "keySettings",
    keys: [
      { key: ".", mod: true },
      { key: ",", outsideFields: true },
    ],
  },
  { name: "sidebar", label: "keySidebar", keys: [{ key: "b", mod: true }] },
  {
    name: "focus",
    label: "keyFocus",
    keys: [
      { key: "Escape", shift: true },
      { key: "i", outsideFields: true },
    ],
  },
  {
    name: "sheet",
    label: "keySheet",
    keys: [
      { key: "?", outsideFields: true },
      { key: "/", mod: true },
    ],
  },
];

export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

export function shortcutFor(pressed: Pressed, inField: boolean, mac: boolean): ShortcutName | undefined {
  const mod = mac ? pressed.metaKey : pressed.ctrlKey;
  const otherMod = mac ? pressed.ctrlKey : pressed.metaKey;
  if (pressed.altKey || otherMod) return undefined;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  const fits = (keys: Keys): boolean =>
    keys.key === key &&
    (keys.mod ?? false) === mod &&
    // "?" is typed with Shift on most keyboards: only letters and named keys tell the difference.
    (/^[a-z]|^.{2,}$/.test(key) ? (keys.shift ?? false) === pressed.shiftKey : true) &&
    !(keys.outsideFields === true && inField);
  return shortcuts.find(({ keys }) => keys.some(fits))?.name;
}

/** The caps of a shortcut, one by one, as they are printed on this machine's keyboard. */
export function caps({ key, mod, shift }: Keys, mac: boolean): string[] {
  const names: Readonly<Record<string, string>> = { Escape: "Esc", Enter: mac ? "↩" : "Enter" };
  return [
    ...(mod === true ? [mac ? "⌘" : "Ctrl"] : []),
    ...(shift === true ? [mac ? "⇧" : "Shift"] : []),
    names[key] ?? key.toUpperCase(),
  ];
}
