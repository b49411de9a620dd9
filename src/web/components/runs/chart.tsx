// One chart: lines of several runs over one x axis, drawn by uPlot. It tells what lies under the cursor through `onPlace`, and
// moves its cursor and its zoom with all charts of the view. Not here: which lines (charts.tsx).
import { useEffect, useLayoutEffect, useRef, type ReactElement } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Which of the colours --series-1 … 6, from 0 on. */
  readonly slot: number;
  /** "faint": what a smoothed line was made of; "dots": few values, each one marked. */
  readonly looks: "line" | "faint" | "dots";
}

interface ChartProps {
  readonly lines: readonly Line[];
  readonly label: string;
  readonly heightPx: number;
  readonly log: boolean;
  /** What the lines are, besides their values: the chart is made anew when it changes. */
  readonly shape: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** The x value under the cursor; undefined: there is none. */
  readonly onPlace: (x: number | undefined) => void;
}

const SYNC = "runs";
const FAINT = 0.25;
const AXIS_FONT = "11px system-ui, sans-serif";

/** A colour of the style sheet as a canvas takes it. */
function colourOf(from: HTMLElement, name: string, alpha = 1): string {
  const probe = document.createElement("span");
  probe.style.color = `color-mix(in oklch, var(--${name}) ${alpha * 100}%, transparent)`;
  from.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const dataOf = (lines: readonly Line[]): uPlot.AlignedData =>
  lines.length === 0 ? [[]] : uPlot.join(lines.map(({ x, y }) => [x as number[], y as number[]] as uPlot.AlignedData));

/** Whether somebody chose a part of the x axis. */
function isZoomed({ data: [x], scales }: uPlot): boolean {
  const { min, max } = scales["x"];
  return x.length > 1 && min != null && max != null && (min > x[0] || max < x[x.length - 1]);
}

export function Chart({ lines, label, heightPx, log, shape, ...told }: ChartProps): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const props = useRef({ ...told, lines });
  useLayoutEffect(() => {
    props.current = { ...told, lines };
  });

  useLayoutEffect(() => {
    const box = place.current!;
    const series = props.current.lines.map(({ slot, looks }): uPlot.Series => {
      const colour = colourOf(box, `series-${slot + 1}`, looks === "faint" ? FAINT : 1);
      return {
        stroke: colour,
        width: looks === "line" ? 1.6 : 1,
        spanGaps: true,
        points: looks === "dots" ? { show: true, size: 5, fill: colour, stroke: colour } : { show: false },
        ...(looks === "dots" && { dash: [2, 3] }),
      };
    });
    const [text, grid] = [colourOf(box, "faint"), colourOf(box, "line", 0.7)];
    const axis: uPlot.Axis = {
      stroke: text,
      font: AXIS_FONT,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      gap: 6,
    };
    const made = new uPlot(
      {
        width: box.clientWidth,
        height: heightPx,
        padding: [8, 12, 0, 0],
        legend: { show: false },
        scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
        series: [{}, ...series],
        axes: [
          { ...axis, size: 26, space: 70, values: (_, ticks) => ticks.map((tick) => props.current.formatX(tick)) },
          {
            ...axis,
            size: 48,
            space: 34,
            values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : props.current.formatY(tick))),
          },
        ],
        cursor: {
          y: false,
          points: { size: 7 },
          sync: { key: SYNC, scales: ["x", null] },
          drag: { x: true, y: false, dist: 6 },
        },
        hooks: {
          setCursor: [
            ({ cursor: { idx, left }, data: [x] }) => {
              props.current.onPlace(idx == null || left == null || left < 0 ? undefined : x[idx]);
            },
          ],
        },
      },
      dataOf(props.current.lines),
      box,
    );
    chart.current = made;
    const leaveTouch = followTouch(made);
    const resize = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: heightPx }));
    resize.observe(box);
    return () => {
      leaveTouch();
      resize.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [shape, log, heightPx]);

  useEffect(() => {
    const made = chart.current;
    if (made === undefined) return;
    const zoom = isZoomed(made) ? { ...made.scales["x"] } : undefined;
    made.setData(dataOf(lines), zoom === undefined);
    if (zoom?.min != null && zoom.max != null) made.setScale("x", { min: zoom.min, max: zoom.max });
  }, [lines]);

  return <div className="chart" ref={place} role="img" aria-label={label} />;
}

/** uPlot listens to a mouse alone: a finger that moves sideways moves the cursor too. Returns what ends it. */
function followTouch(chart: uPlot): () => void {
  const { over } = chart;
  const follow = ({ pointerType, clientX }: PointerEvent): void => {
    if (pointerType !== "touch") return;
    chart.setCursor({ left: clientX - over.getBoundingClientRect().left, top: 0 }, true);
  };
  over.style.touchAction = "pan-y";
  over.addEventListener("pointerdown", follow);
  over.addEventListener("pointermove", follow);
  return () => {
    over.removeEventListener("pointerdown", follow);
    over.removeEventListener("pointermove", follow);
  };
}
