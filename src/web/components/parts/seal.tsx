// The mark of the page: 量 as a seal, the one spot of cinnabar on an empty sheet.
import type { ReactElement } from "react";

export function Seal({ size }: { readonly size: number }): ReactElement {
  return (
    <svg className="seal" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="5" />
      <path d="M10.5 5.5h11v5.4h-11zM10.5 8.2h11M5.5 13.4h21M9.5 16h13v5.6h-13zM9.5 18.8h13M16 16v10.6M9 24h14M5.5 26.6h21" />
    </svg>
  );
}
