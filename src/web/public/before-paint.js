// Runs before the first paint, so that a chosen theme or language never flashes as the other one. An own file, since the
// Content-Security-Policy allows no inline script. The key and the shape are state/preferences.ts's.
(() => {
  try {
    const stored = JSON.parse(localStorage.getItem("liang.preferences") ?? "{}");
    if (stored.theme === "light" || stored.theme === "dark") document.documentElement.dataset.theme = stored.theme;
    const language = stored.language === "zh" || stored.language === "en" ? stored.language : navigator.language;
    document.documentElement.lang = language.startsWith("zh") ? "zh-CN" : "en";
  } catch {
    // Storage may be forbidden or broken; the system's choice is shown then.
  }
})();
