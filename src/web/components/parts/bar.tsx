// A bar of something that ends: bytes of a model, tokens of a prompt. Without a total it shows that something goes on.
import type { ReactElement } from "react";

interface BarProps {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  /** "986 MB of 1.1 GB" */
  readonly amount: string;
  readonly seconds: string;
}

export function Bar({ label, done, total, amount, seconds }: BarProps): ReactElement {
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  return (
    <div className="bar">
      <div className="bar-words">
        <span className="bar-label">{label}</span>
        <span className="number">{amount}</span>
        <span className="number">{seconds}</span>
      </div>
      <div
        className="bar-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(share !== undefined && { "aria-valuenow": Math.round(share * 100), "aria-valuetext": amount })}
      >
        <div
          className={share === undefined ? "bar-fill bar-unknown" : "bar-fill"}
          style={share === undefined ? undefined : { transform: `scaleX(${share})` }}
        />
      </div>
    </div>
  );
}
