// A button that is an icon: its label is read out and shown when one lingers on it.
import type { ComponentProps, ReactElement } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface IconButtonProps extends Omit<ComponentProps<"button">, "children" | "title"> {
  readonly icon: IconName;
  readonly label: string;
  readonly text?: string;
}

export function IconButton({ icon, label, text, className = "", ...rest }: IconButtonProps): ReactElement {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
      {text !== undefined && <span>{text}</span>}
    </button>
  );
}
