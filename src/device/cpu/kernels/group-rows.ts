// Rows by the experts that they choose: choices, one after another over all rows, in the order of experts and, of one
// expert, in their own; cut into tasks of at most some rows of one expert, so that its weights are read once for each.
// Counting sort, in one part: a microsecond for a token's choices.
import { type Int, defineKernel } from "../../../lanes/index.ts";

const WORD_BYTES = 4;
/** Words of a task: its expert, the place of its first choice in the order, how many, panels of 32 before its own. */
const TASK_WORDS = 4;
export const TASK_BYTES = TASK_WORDS * WORD_BYTES;
/** What a task's choices fill up where they are laid in panels of so many rows. */
export const TASK_PANEL_ROWS = 32;
/** Tasks begin here; the first word is their count. */
const FIRST_TASK = 64;

/** Bytes of a list of tasks. */
export const taskBytes = (tasks: number): number => FIRST_TASK + tasks * TASK_BYTES;
/** How many tasks `choices` choices of `experts` experts are at most, of at most `rows` rows each. */
export const tasksMost = (choices: number, experts: number, rows: number): number =>
  Math.min(choices, experts + Math.floor(choices / rows));

/** The most experts, whose counts are kept in scratch. */
export const EXPERTS_MOST = 4096;

/**
 * choices (count) i32 of 0 .. experts - 1. starts (experts + 1): where each one's choices begin in `order` (count), which
 * holds numbers of choices; tasks: their list, each of at most `most` choices.
 */
export const groupRowsKernel = defineKernel(
  "groupRows",
  ["choices", "starts", "order", "tasks", "count", "experts", "most"],
  (k, { choices, starts, order, tasks, count, experts, most }) => {
    const word = (base: Int, i: Int): Int => base.add(i.mul(WORD_BYTES));
    const next = k.scratch;
    k.range(0, experts.add(1), 1, (e) => word(starts, e).store(k.int(0)));
    k.range(0, count, 1, (i) => {
      const place = word(starts, word(choices, i).loadInt().add(1));
      place.store(place.loadInt().add(1));
    });
    const [first, made, panels] = [k.variable(k.int(0)), k.variable(k.int(0)), k.variable(k.int(0))];
    k.range(0, experts, 1, (e) => {
      const here = word(starts, e.add(1)).loadInt();
      word(next, e).store(first.value);
      k.range(0, here, most, (done) => {
        const task = tasks.add(made.value.mul(TASK_BYTES));
        const rows = here.sub(done).min(most);
        task.store(e, FIRST_TASK);
        task.store(first.value.add(done), FIRST_TASK + WORD_BYTES);
        task.store(rows, FIRST_TASK + 2 * WORD_BYTES);
        task.store(panels.value, FIRST_TASK + 3 * WORD_BYTES);
        made.value = made.value.add(1);
        panels.value = panels.value.add(rows.add(TASK_PANEL_ROWS - 1).div(TASK_PANEL_ROWS));
      });
      first.value = first.value.add(here);
      word(starts, e.add(1)).store(first.value);
    });
    tasks.store(made.value);
    k.range(0, count, 1, (i) => {
      const place = word(next, word(choices, i).loadInt());
      const to = place.loadInt();
      word(order, to).store(i);
      place.store(to.add(1));
    });
  },
);

/** Some rows that chose one expert. */
export interface Task {
  readonly expert: Int;
  readonly rows: Int;
  readonly panelsBefore: Int;
  /** The number of the choice that row `row` of the task is. */
  readonly choice: (row: Int) => Int;
}

export const taskCount = (tasks: Int): Int => tasks.loadInt();

export function taskAt({ tasks, order }: { readonly tasks: Int; readonly order: Int }, number: Int): Task {
  const at = tasks.add(number.mul(TASK_BYTES));
  const [expert, first, rows, panelsBefore] = [0, 1, 2, 3].map((n) => at.loadInt(FIRST_TASK + n * WORD_BYTES));
  const from = order.add(first.mul(WORD_BYTES));
  return { expert, rows, panelsBefore, choice: (row) => from.add(row.mul(WORD_BYTES)).loadInt() };
}
