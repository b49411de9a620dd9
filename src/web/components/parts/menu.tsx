// A button that opens a small surface beside it: the browser's own popover, so that Escape, a click elsewhere and the top
// layer are its business. Arrow keys walk its items.
import { useId, useRef, useState, type KeyboardEvent, type ReactElement, type ReactNode, type RefObject } from "react";

interface MenuProps {
  readonly label: string;
  readonly className?: string;
  readonly face: ReactNode;
  /** Drawn while open; call the function to close. */
  readonly children: (close: () => void) => ReactNode;
  readonly buttonRef?: RefObject<HTMLButtonElement | null>;
  readonly onOpen?: () => void;
  readonly role?: "menu" | "dialog";
}

const MARGIN_PX = 8;

export function Menu({
  label,
  className = "",
  face,
  children,
  buttonRef,
  onOpen,
  role = "menu",
}: MenuProps): ReactElement {
  const own = useRef<HTMLButtonElement>(null);
  const button = buttonRef ?? own;
  const surface = useRef<HTMLDivElement>(null);
  const id = useId();
  const [open, setOpen] = useState(false);

  const place = (): void => {
    const [from, box] = [button.current?.getBoundingClientRect(), surface.current];
    if (from === undefined || box === null) return;
    const { offsetWidth: width, offsetHeight: height } = box;
    const below = from.bottom + 4;
    const top = below + height > innerHeight - MARGIN_PX ? Math.max(MARGIN_PX, from.top - height - 4) : below;
    box.style.top = `${top}px`;
    box.style.left = `${Math.max(MARGIN_PX, Math.min(from.left, innerWidth - width - MARGIN_PX))}px`;
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup={role}
        aria-expanded={open}
        popoverTarget={id}
      >
        {face}
      </button>
      <div
        ref={surface}
        id={id}
        popover="auto"
        className="menu"
        role={role}
        aria-label={label}
        onKeyDown={walk}
        onToggle={(event) => {
          const opened = event.newState === "open";
          setOpen(opened);
          if (!opened) return;
          onOpen?.();
          // The items are drawn first, then measured and focused.
          requestAnimationFrame(() => {
            place();
            const items = itemsOf(surface.current);
            (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
          });
        }}
      >
        {open && children(() => surface.current?.hidePopover())}
      </div>
    </>
  );
}

const itemsOf = (surface: HTMLElement | null): HTMLElement[] => [
  ...(surface?.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled), input, [data-item]") ?? []),
];

function walk(event: KeyboardEvent<HTMLDivElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const items = itemsOf(event.currentTarget);
  const at = items.indexOf(document.activeElement as HTMLElement);
  items.at((at + step) % items.length)?.focus();
}
