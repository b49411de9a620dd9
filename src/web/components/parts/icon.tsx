// The page's line icons, 20 × 20, drawn in the text's colour. Decoration only: what a button does stands in its label.
import type { ReactElement } from "react";

const PATHS = {
  sidebar: "M3.5 4.5h13v11h-13zM8 4.5v11",
  sliders: "M3.5 6h7M14.5 6h2M3.5 14h2M9.5 14h7M12.5 4v4M7.5 12v4",
  pen: "M4 16l.8-3.4L13 4.4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3l-8.2 8.2L4 16zM11.6 5.8l2.6 2.6",
  plus: "M10 4.5v11M4.5 10h11",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM12.6 12.6L16.5 16.5",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  copy: "M7.5 7.5h8v8h-8zM12.5 4.5h-8v8",
  check: "M4.5 10.5l3.7 3.7 7.3-8",
  again: "M15.5 10a5.5 5.5 0 1 1-1.7-4M14.2 3v3.2H11",
  left: "M12 5.5L7.5 10l4.5 4.5",
  right: "M8 5.5l4.5 4.5L8 14.5",
  down: "M5.5 8l4.5 4.5L14.5 8",
  send: "M10 16V4.5M5 9.3L10 4.3l5 5",
  stop: "M6.5 6.5h7v7h-7z",
  attach: "M14.5 9.2l-5 5a3.2 3.2 0 0 1-4.5-4.6l5.6-5.6a2.2 2.2 0 0 1 3.1 3.1l-5.4 5.4a1.1 1.1 0 0 1-1.6-1.6l4.8-4.8",
  bin: "M4.5 6h11M8 6V4.5h4V6M6 6l.6 9.5h6.8L14 6",
  save: "M10 4v8M6.5 9l3.5 3.5L13.5 9M4.5 15.5h11",
  open: "M10 12V4M6.5 7L10 3.5 13.5 7M4.5 15.5h11",
  wrap: "M4 5.5h12M4 10h9.5a2.3 2.3 0 0 1 0 4.6H9.5M11 12.8l-1.8 1.8 1.8 1.8M4 14.5h2",
  sun: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2.8v1.4M10 15.8v1.4M2.8 10h1.4M15.8 10h1.4M4.9 4.9l1 1M14.1 14.1l1 1M15.1 4.9l-1 1M5.9 14.1l-1 1",
  moon: "M15.8 11.8A6.2 6.2 0 0 1 8.2 4.2a6.2 6.2 0 1 0 7.6 7.6z",
  chart: "M3.5 4v12h13M6 12.5l3-4 2.8 2.4L16 5.5",
  half: "M10 3.8a6.2 6.2 0 1 0 0 12.4zM10 3.8a6.2 6.2 0 0 1 0 12.4",
  keyboard: "M3 6h14v8.5H3zM6 9h.01M9 9h.01M12 9h.01M14.5 9h.01M6.5 12h7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
