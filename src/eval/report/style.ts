// data: the report card's style sheet, for screens, paper, light and dark. The page loads nothing.
export const STYLE = `
:root { color-scheme: light dark; --paper: light-dark(#faf8f4, #171411); --sheet: light-dark(#fff, #211d1a);
  --ink: light-dark(#26211d, #e9e4dc); --faint: light-dark(#6b635b, #a79e94); --line: light-dark(#e2dcd2, #3a342f);
  --first: light-dark(#b03a1e, #ef8d6c); --second: light-dark(#285f9e, #7fb0ec); }
* { box-sizing: border-box; margin: 0; }
body { max-width: 62rem; margin: 0 auto; padding: 40px 24px 64px; background: var(--paper); color: var(--ink);
  font: 400 15px/1.6 system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1 { font: 600 28px/1.3 "Noto Serif CJK SC", "Songti SC", ui-serif, Georgia, serif; }
h2 { margin: 40px 0 10px; font-size: 17px; }
h3 { margin: 18px 0 6px; font-size: 14px; }
p, dl, table, pre { font-size: 14px; }
.under, figcaption, dt, th, .prompt { color: var(--faint); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; margin-top: 22px; }
.tiles div { padding: 10px 14px; border: 1px solid var(--line); border-radius: 10px; background: var(--sheet); }
.tiles dt { font-size: 12px; }
.tiles dd { font-size: 20px; font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 22px; }
.charts figure:first-child { grid-column: 1 / -1; }
figcaption { font-size: 12px; }
figcaption b { font-size: 14px; color: var(--ink); }
.key { margin-inline-start: 10px; }
.key::before { content: ""; display: inline-block; width: 14px; margin-inline-end: 5px; vertical-align: 0.28em;
  border-top: 2.5px solid var(--first); }
.key.dots::before { border-top-color: var(--second); }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--faint); }
svg.wide text { font-size: 8px; } svg.wide path:not(.faint) { stroke-width: 1.3; }
@media (max-width: 40rem) { svg.wide text { font-size: 17px; } svg.half text { font-size: 13px; } }
svg path { fill: none; stroke: var(--first); stroke-width: 1.8; stroke-linejoin: round; }
svg .faint { stroke-opacity: 0.28; stroke-width: 1; }
svg .dots { stroke: var(--second); }
svg circle { fill: var(--second); }
svg .grid { stroke: var(--line); }
.facts > div { display: flex; gap: 20px; justify-content: space-between; padding: 4px 0; border-top: 1px solid var(--line); }
.facts dt { flex: none; max-width: 45%; }
.facts dd { text-align: end; overflow-wrap: anywhere; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 44px; }
.scrolls { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 5px 16px 5px 0; border-top: 1px solid var(--line); text-align: start; font-weight: 400; vertical-align: top; }
code, pre { font: 12px/1.55 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { padding: 12px 14px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--sheet); }
.sample { margin-top: 10px; padding: 12px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--sheet);
  font: 400 16px/1.75 "Noto Serif CJK SC", "Songti SC", ui-serif, Georgia, serif; }
.said { white-space: pre-wrap; }
.sample small { display: block; font: 12px/1.5 system-ui, sans-serif; color: var(--faint); }
mark { background: light-dark(#f6dfae, #5d4713); color: inherit; }
summary { margin-top: 12px; cursor: pointer; color: var(--faint); font-size: 14px; }
@media print { body { max-width: none; padding: 0; } figure, .sample { break-inside: avoid; } }
`;
