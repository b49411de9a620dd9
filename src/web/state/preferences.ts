// How the page looks for this person in this browser: language, theme, which places are open. Kept in localStorage and
// shared with the page's other tabs; public/before-paint.js reads the same key. Not here: the model's settings.
import { systemLanguage, type Language } from "../i18n/translate.ts";
import { createStore } from "./store.ts";

export type ThemeChoice = "system" | "light" | "dark";
export type LanguageChoice = "system" | Language;

export interface Preferences {
  readonly theme: ThemeChoice;
  readonly language: LanguageChoice;
  readonly sidebarOpen: boolean;
  readonly instrumentOpen: boolean;
  readonly wrapCode: boolean;
}

const NAME = "liang.preferences";
export const NARROW = "(max-width: 800px)";

const initial: Preferences = {
  theme: "system",
  language: "system",
  sidebarOpen: true,
  instrumentOpen: false,
  wrapCode: false,
};

export const isNarrow = (): boolean => matchMedia(NARROW).matches;

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? "{}") as Partial<Preferences>;
  } catch {
    return {}; // storage is forbidden or holds something else: the page starts as new
  }
}

export const preferences = createStore<Preferences>({
  ...initial,
  ...stored(),
  // On a phone both are drawers over the conversation: never open by themselves.
  ...(isNarrow() && { sidebarOpen: false, instrumentOpen: false }),
});

export function setPreferences(change: Partial<Preferences>): void {
  preferences.set(change);
  applyToPage();
  try {
    // A drawer opened on a phone is no wish for the next visit.
    const { sidebarOpen, instrumentOpen, ...looks } = preferences.get();
    const places = isNarrow() ? {} : { sidebarOpen, instrumentOpen };
    localStorage.setItem(NAME, JSON.stringify({ ...stored(), ...looks, ...places }));
  } catch {
    // Storage is forbidden or full: the choice holds until the page is closed.
  }
}

export function chosenLanguage({ language }: Preferences): Language {
  return language === "system" ? systemLanguage(navigator.languages) : language;
}

/** Writes theme and language onto the document; called once at the start and on every change. */
export function applyToPage(): void {
  const { theme } = preferences.get();
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  root.lang = chosenLanguage(preferences.get()) === "zh" ? "zh-CN" : "en";
}

export function watchOtherTabs(): void {
  addEventListener("storage", (event) => {
    if (event.key !== NAME) return;
    const { theme, language } = { ...initial, ...stored() };
    preferences.set({ theme, language });
    applyToPage();
  });
}
