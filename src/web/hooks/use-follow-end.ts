// Keeps a growing text's end in view while the reader is there, and leaves the view alone once they have gone up.
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** Within this of the end counts as having come back to it. */
const NEAR_END_PX = 24;

export interface FollowEnd {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** The reader is elsewhere: a way to the end should be offered. */
  readonly away: boolean;
  readonly toEnd: () => void;
}

/** `begin`: when it changes (another conversation, a message sent) the view goes to the end whatever was before. */
export function useFollowEnd(begin: unknown): FollowEnd {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [away, setAway] = useState(false);

  const toEnd = useCallback(() => {
    following.current = true;
    setAway(false);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);

  useLayoutEffect(toEnd, [begin, toEnd]);

  useEffect(() => {
    const element = scroller.current;
    const grown = content.current;
    if (element === null || grown === null) return undefined;
    let top = element.scrollTop;
    const distance = (): number => element.scrollHeight - element.scrollTop - element.clientHeight;
    const onScroll = (): void => {
      const up = element.scrollTop < top - 1;
      top = element.scrollTop;
      // A text that got shorter also moves the view up, but leaves it at the end.
      if (up && distance() > 2) following.current = false;
      else if (!up && distance() < NEAR_END_PX) following.current = true;
      setAway(!following.current && distance() > NEAR_END_PX);
    };
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
      else setAway(distance() > NEAR_END_PX);
    });
    observer.observe(grown);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);

  return { scroller, content, away, toEnd };
}
