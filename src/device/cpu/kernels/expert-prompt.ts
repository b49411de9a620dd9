// Products of the prompt class where rows choose experts: a unit is some column panels of the rows of one task
// (group-rows.ts), computed as those of one weight are (panels.ts, linear-tiles.ts). Rows of activations are read, and
// those of results stored, by the choices that they are; tiles have the rows of each task in a tile form of their own.
import { getOrMake } from "../../../base/collections.ts";
import { type Int, type Kernel, defineKernel } from "../../../lanes/index.ts";
import { type Task, taskAt, taskCount } from "./group-rows.ts";
import { columnPanels, computeUnit } from "./linear-tiles.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { PANELS_TOGETHER, type PanelParts, computePanels } from "./panels.ts";
import type { TileShape } from "./tile-shapes.ts";
import type { TileFormat } from "./tile-weights.ts";
import { PANEL_ROWS, STEP_BYTES, STEP_COLUMNS, packRow, rowPanelCount, twoAt } from "./tiles.ts";

/**
 * x: activations in the kernel's form, of `sources` rows; shared: choices that share a row of x; weight and second: packed
 * matrices, of `matrix` bytes each; out: as a product's, of `targets` rows, which are choices.
 */
const expertWords = [
  "x",
  "weight",
  "second",
  "matrix",
  "out",
  "sources",
  "targets",
  "shared",
  "columns",
  "outer",
  "tasks",
  "order",
  "unitPanels",
] as const;
type Words = Readonly<Record<string, Int>>;

/** Words that the computation of one weight's product reads, of a task's expert. */
function ofExpert(words: Words, { expert }: Task): Record<"weight" | "second" | "bias" | "residual", Int> {
  const matrix = expert.mul(words.matrix);
  const none = words.x.sub(words.x);
  return { weight: words.weight.add(matrix), second: words.second.add(matrix), bias: none, residual: none };
}

const kernels = new Map<string, Kernel>();

/** Activations of f32 or in int8 panels; `unitPanels` is not read. */
export function expertPanelKernel(parts: PanelParts): Kernel {
  const label = `expert.${parts.label}`;
  return getOrMake(kernels, label, () =>
    defineKernel(label, expertWords, (k, words) => {
      const { x, out, columns, outer } = words;
      const panels = parts.shape.panels({ ...words, ...ofExpert(words, taskAt(words, k.int(0))), rows: words.sources });
      const units = ceilDiv(panels, PANELS_TOGETHER);
      k.share(taskCount(words.tasks).mul(units), (first, end) => {
        k.range(first, end, 1, (unit) => {
          const task = taskAt(words, unit.div(units));
          const firstPanel = unit.rem(units).mul(PANELS_TOGETHER);
          const rows = {
            count: task.rows,
            source: (row: Int) => task.choice(row).div(words.shared),
            target: task.choice,
            targets: words.targets,
          };
          const values = { x, out, columns, outer, rows: words.sources, ...ofExpert(words, task) };
          computePanels(k, parts, values, rows, firstPanel, panels.sub(firstPanel).min(PANELS_TOGETHER));
        });
      });
    }),
  );
}

const panelBytes = (columns: Int): Int => columns.mul(STEP_BYTES / STEP_COLUMNS);

/** Activations in the tile forms of the tasks; gated results are in theirs. */
export function expertTileKernel(name: TileFormat, suffix: string, shape: TileShape): Kernel {
  const label = `expert.${name}.tiles${suffix}`;
  return getOrMake(kernels, label, () =>
    defineKernel(label, expertWords, (k, words) => {
      const { x, out, columns, outer } = words;
      const panels = columnPanels(words, shape);
      const units = ceilDiv(panels, words.unitPanels);
      k.share(taskCount(words.tasks).mul(units), (first, end) => {
        k.range(first, end, 1, (unit) => {
          const task = taskAt(words, unit.div(units));
          const firstPanel = unit.rem(units).mul(words.unitPanels);
          const values = {
            x: x.add(task.panelsBefore.mul(panelBytes(columns))),
            out: shape.groups === 1 ? out.add(task.panelsBefore.mul(panelBytes(outer))) : out,
            columns,
            outer,
            rows: task.rows,
            ...ofExpert(words, task),
          };
          computeUnit(k, values, name, shape, {
            firstRows: k.int(0),
            rowCount: rowPanelCount(task.rows),
            firstPanel,
            panelCount: panels.sub(firstPanel).min(words.unitPanels),
            target: task.choice,
          });
        });
      });
    }),
  );
}

/** x: rows of f32, `shared` choices each; out: for each task the tile form of its rows, one after another. */
export const packTaskTilesKernel = defineKernel(
  "expert.packTiles",
  ["x", "out", "tasks", "order", "shared", "columns"],
  (k, { x, out, tasks, order, shared, columns }) => {
    k.share(taskCount(tasks), (first, end) => {
      k.range(first, end, 1, (number) => {
        const { rows, panelsBefore, choice } = taskAt({ tasks, order }, number);
        const [to, rowPanels] = [out.add(panelsBefore.mul(panelBytes(columns))), rowPanelCount(rows)];
        k.range(0, rowPanels.mul(PANEL_ROWS), 1, (row) => {
          // what fills up the last panel is the last row once more
          const source = choice(row.min(rows.sub(1))).div(shared);
          const from = x.add(source.mul(columns).mul(FLOAT_BYTES));
          packRow(k, row, to, rowPanels, columns, (column) => twoAt(from.add(column.mul(FLOAT_BYTES))));
        });
      });
    });
  },
);
