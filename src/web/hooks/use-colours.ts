// The coloured beginning of a code block. While the block grows, colouring takes at most a tenth of the time, so that a
// long listing never holds up the text.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { CodeBlock } from "../markdown/blocks.ts";
import { highlight, loadHighlighter } from "../markdown/highlight.ts";

interface Coloured {
  readonly html: string;
  /** How much of the code it covers. */
  readonly characters: number;
}

interface Done extends Coloured {
  readonly code: string;
}

const PAUSE_FACTOR = 9; // one part work, nine parts rest

export function useColours({ code, language, closed }: CodeBlock): Coloured | undefined {
  const [done, setDone] = useState<Done>();
  const [loaded, setLoaded] = useState(0);
  const rest = useRef(0); // the time, as performance.now() gives it, until which nothing is coloured

  useLayoutEffect(() => {
    if (language === "") return undefined;
    const whole = closed ? code : code.slice(0, code.lastIndexOf("\n") + 1);
    const colour = (): void => {
      const started = performance.now();
      const html = highlight(whole, language);
      if (html === undefined) return;
      rest.current = performance.now() + (performance.now() - started) * PAUSE_FACTOR;
      setDone({ html, characters: whole.length, code: whole });
    };
    const wait = closed ? 0 : rest.current - performance.now();
    if (wait <= 0) {
      colour();
      return undefined;
    }
    const timer = setTimeout(colour, wait);
    return () => clearTimeout(timer);
  }, [code, language, closed, loaded]);

  useEffect(() => {
    if (language !== "") void loadHighlighter().then(() => setLoaded((count) => count + 1));
  }, [language]);

  return done !== undefined && code.startsWith(done.code) ? done : undefined;
}
