// Gathers the pieces of a growing text and shows it at most once a frame; when showing takes long (a list of a thousand
// items), it rests twice as long as it took, so that the page stays quick to the hand. Nothing is lost: what is shown is
// always the whole text so far.

/** What it needs of the browser; the tests give their own. */
export interface Pace {
  readonly now: () => number;
  /** Before the next drawing; returns what takes it back. */
  readonly frame: (run: () => void) => () => void;
  readonly after: (run: () => void, ms: number) => () => void;
}

export interface PacedText {
  add(piece: string): void;
  /** Shows nothing more. */
  cancel(): void;
}

/** Longer than half a frame at 60 a second is felt. */
const QUICK_MS = 8;
const REST_FACTOR = 2;
/** A hidden page gets no frames, but its state should keep up. */
const HIDDEN_MS = 500;

const browserPace: Pace = {
  now: () => performance.now(),
  frame(run) {
    const id = requestAnimationFrame(run);
    return () => cancelAnimationFrame(id);
  },
  after(run, ms) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

export function createPacedText(begun: string, show: (text: string) => void, pace: Pace = browserPace): PacedText {
  let text = begun;
  let restUntil = 0;
  let takeBack: (() => void) | undefined;

  function cancel(): void {
    takeBack?.();
    takeBack = undefined;
  }

  function draw(): void {
    cancel();
    const started = pace.now();
    show(text);
    const rest = (): void => {
      const took = pace.now() - started;
      restUntil = took > QUICK_MS ? pace.now() + took * REST_FACTOR : 0;
    };
    rest();
    pace.after(rest, 0); // a task of its own comes after layout and painting: these are counted too
  }

  function askForFrame(): void {
    const backs = [pace.frame(draw), pace.after(draw, HIDDEN_MS)];
    takeBack = () => {
      for (const back of backs) back();
    };
  }

  return {
    cancel,
    add(piece) {
      text += piece;
      if (takeBack !== undefined) return;
      const rest = restUntil - pace.now();
      if (rest > 0) takeBack = pace.after(askForFrame, rest);
      else askForFrame();
    },
  };
}
