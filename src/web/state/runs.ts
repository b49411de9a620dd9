// The runs of training as the page watches them: the list, those on show with what was measured in them, and asking for
// more while the page is looked at. Not here: what a line of metrics becomes (run-curves.ts).
import type { ApiError, RunDetails, RunList, RunMetrics, RunOverview } from "../../server/api-types.ts";
import { ApiFailure, asApiError, request } from "../api/client.ts";
import { type RunCurves, addMetrics, emptyCurves } from "./run-curves.ts";
import { createStore } from "./store.ts";
import { runsInAddress, showRunsInAddress } from "./view.ts";

/** A run on show; `slot` chooses its colour and stays while it is shown. */
export interface ShownRun {
  readonly name: string;
  readonly slot: number;
}

export interface Runs {
  /** undefined: not asked yet. */
  readonly list: readonly RunOverview[] | undefined;
  readonly shown: readonly ShownRun[];
  /** The run whose samples, recipe and checkpoints are told; always one of those on show, where there are any. */
  readonly focus: string | undefined;
  readonly curves: ReadonlyMap<string, RunCurves>;
  readonly details: ReadonlyMap<string, RunDetails>;
  /** Grows with every change of the curves, which are changed in place. */
  readonly version: number;
  readonly error: ApiError | undefined;
}

/** As many as there are colours (styles/tokens.css). */
export const SHOWN_MAX = 6;
const WATCH_MS = 2000;

export const runStore = createStore<Runs>({
  list: undefined,
  shown: [],
  focus: undefined,
  curves: new Map(),
  details: new Map(),
  version: 0,
  error: undefined,
});

/** `next` of the metrics of each run. */
const read = new Map<string, string>();

const freeSlot = (shown: readonly ShownRun[]): number =>
  Array.from({ length: SHOWN_MAX }, (_, slot) => slot).find((slot) => shown.every((run) => run.slot !== slot)) ?? 0;

/** Puts a run on show, or takes it off. */
export function toggleRun(name: string): void {
  const { shown, focus } = runStore.get();
  const rest = shown.filter((run) => run.name !== name);
  const isAdded = rest.length === shown.length;
  if (isAdded && shown.length === SHOWN_MAX) return;
  const next = isAdded ? [...shown, { name, slot: freeSlot(shown) }] : rest;
  const isFocusLeft = next.some((run) => run.name === focus);
  runStore.set({ shown: next, focus: isAdded ? name : isFocusLeft ? focus : next[0]?.name });
  showRunsInAddress(
    next.map((run) => run.name),
    false,
  );
  void refresh();
}

/** Shows this run alone. */
export function showOnly(name: string): void {
  const { shown } = runStore.get();
  const slot = shown.find((run) => run.name === name)?.slot ?? 0;
  runStore.set({ shown: [{ name, slot }], focus: name });
  showRunsInAddress([name], false);
  void refresh();
}

export function focusRun(name: string): void {
  runStore.set({ focus: name });
}

/** Shows what the address names; where it names none, what is trained now, else the newest. */
function chooseShown(list: readonly RunOverview[]): void {
  const known = new Set(list.map(({ name }) => name));
  const named = runsInAddress().filter((name) => known.has(name));
  const running = list.filter(({ state }) => state === "running").map(({ name }) => name);
  const newest = list.slice(0, 1).map(({ name }) => name);
  const chosen = [named, running, newest].find(({ length }) => length > 0) ?? [];
  const shown = chosen.slice(0, SHOWN_MAX).map((name, slot) => ({ name, slot }));
  runStore.set({ shown, focus: shown[0]?.name });
}

let isAsking = false;

/** Asks for what is new. What fails is kept as `error` until it succeeds. */
async function refresh(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  try {
    const { runs: list } = await request<RunList>("GET", "runs");
    const isFirst = runStore.get().list === undefined;
    runStore.set({ list });
    if (isFirst) chooseShown(list);
    await Promise.all(runStore.get().shown.map(({ name }) => refreshRun(name)));
    runStore.set({ error: undefined });
  } catch (error) {
    runStore.set({ error: asApiError(error) });
  } finally {
    isAsking = false;
  }
  // one that was put on show meanwhile
  const waiting = runStore.get().shown.some(({ name }) => !read.has(name));
  if (waiting && runStore.get().error === undefined) await refresh();
}

async function refreshRun(name: string): Promise<void> {
  const path = `runs/${encodeURIComponent(name)}`;
  const before = read.get(name);
  const query = before === undefined ? "" : `?after=${encodeURIComponent(before)}`;
  try {
    const { metrics, next, isWhole } = await request<RunMetrics>("GET", `${path}/metrics${query}`);
    if (metrics.length === 0 && before !== undefined && !isWhole) return;
    const details = await request<RunDetails>("GET", path);
    const { curves, details: known, version } = runStore.get();
    const own = isWhole ? emptyCurves() : (curves.get(name) ?? emptyCurves());
    addMetrics(own, metrics);
    read.set(name, next);
    runStore.set({
      curves: new Map(curves).set(name, own),
      details: new Map(known).set(name, details),
      version: version + 1,
    });
  } catch (error) {
    if (!(error instanceof ApiFailure && error.status === 404)) throw error;
    forget(name); // somebody removed its folder
  }
}

function forget(name: string): void {
  read.delete(name);
  const shown = runStore.get().shown.filter((run) => run.name !== name);
  runStore.set({ shown, focus: shown[0]?.name });
}

/** Watches while the page is looked at; returns what ends it. */
export function watchRuns(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    if (!document.hidden) await refresh();
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(() => void look(), WATCH_MS);
  };
  const onShown = (): void => void look();
  document.addEventListener("visibilitychange", onShown);
  void look();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onShown);
  };
}
