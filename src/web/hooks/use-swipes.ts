// On a phone, one gesture between the three places: a swipe to the right opens the conversations, to the left the settings,
// back again closes. A swipe over something that scrolls sideways is that thing's.
import { useEffect } from "react";
import { isNarrow, preferences, setPreferences } from "../state/preferences.ts";

const DISTANCE_MIN_PX = 60;
const SLOPE_MAX = 0.5;

export function useSwipes(): void {
  useEffect(() => {
    let start: { x: number; y: number } | undefined;
    const down = (event: TouchEvent): void => {
      const touch = event.touches[0];
      const own = event.target instanceof Element && scrollsSideways(event.target);
      start = event.touches.length === 1 && !own ? { x: touch.clientX, y: touch.clientY } : undefined;
    };
    const up = (event: TouchEvent): void => {
      if (start === undefined || !isNarrow()) return;
      const touch = event.changedTouches[0];
      const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
      start = undefined;
      if (Math.abs(dx) < DISTANCE_MIN_PX || Math.abs(dy) > Math.abs(dx) * SLOPE_MAX) return;
      if (getSelection()?.isCollapsed === false) return; // a selection was being drawn
      const { sidebarOpen, instrumentOpen } = preferences.get();
      if (dx > 0) setPreferences(instrumentOpen ? { instrumentOpen: false } : { sidebarOpen: true });
      else setPreferences(sidebarOpen ? { sidebarOpen: false } : { instrumentOpen: true });
    };
    addEventListener("touchstart", down, { passive: true });
    addEventListener("touchend", up, { passive: true });
    return () => {
      removeEventListener("touchstart", down);
      removeEventListener("touchend", up);
    };
  }, []);
}

function scrollsSideways(element: Element): boolean {
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    if (
      at.matches("input[type=range], textarea") ||
      (at.scrollWidth > at.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(at).overflowX))
    ) {
      return true;
    }
  }
  return false;
}
