// `liang runs`: the runs of training there are, or some of them side by side: what differs in their recipes, and how
// well they predicted after equal steps.
import { dataFolder } from "#platform";
import { UsageError } from "../base/errors.ts";
import {
  type RunLine,
  heldOutLoss,
  listRuns,
  readMetrics,
  readRunFacts,
  readRunRecipe,
  runFolder,
  runsFolder,
} from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { writeReport } from "./run-report.ts";
import { out, outJson, paint, tabulate } from "./terminal.ts";
import { shortNumber } from "./train-view.ts";

/** Lines of a comparison, at most: spread over the run. */
const ROWS = 12;

interface RunSummary {
  readonly name: string;
  readonly stage: string;
  readonly parameters: number;
  readonly step: number;
  readonly steps: number;
  /** Mean of the last steps' losses. */
  readonly loss: number | null;
  /** The loss of what is held out, of texts nats a token; last and by step. */
  readonly validation: number | null;
  readonly validations: readonly (readonly [step: number, nats: number])[];
  readonly leftOut: number;
  readonly minutes: number;
  readonly startedAt: string;
  readonly recipe: Readonly<Record<string, unknown>>;
}

export const command = defineCommand({
  summary: "Lists runs of training, or compares some of them.",
  usage: "[NAME...] | report NAME",
  words: { least: 0, most: 8 },
  options: { json: { type: "boolean", help: "print JSON" } },
  notes: [
    "report writes runs/NAME/report.html, one file with curves, samples, recipe and",
    "data. A run's checkpoints are models: runs/NAME is the newest, runs/NAME:step-N",
    "one of those kept. liang serve shows runs while they go on.",
  ],
  async run({ json }, names) {
    const root = runsFolder(dataFolder());
    if (names[0] === "report" && names.length === 2) {
      out(await writeReport(root, names[1]));
      return;
    }
    const summaries: RunSummary[] = [];
    for (const name of names.length > 0 ? names : await listRuns(root)) {
      const found = await summaryOf(root, name);
      if (found !== undefined) summaries.push(found);
      else if (names.length > 0) {
        throw new UsageError(`There is no run ${name}.`, { hint: "liang runs lists them." });
      }
    }
    if (json) outJson(summaries);
    else if (summaries.length === 0) out("There are no runs yet. liang train begins one.");
    else out([listText(summaries), ...(names.length > 1 ? comparison(summaries) : [])].join("\n\n"));
  },
});

async function summaryOf(root: string, name: string): Promise<RunSummary | undefined> {
  const folder = runFolder(root, name);
  const facts = await readRunFacts(folder);
  if (facts === undefined) return undefined;
  const metrics = (await readMetrics(folder)) as RunLine[];
  const steps = metrics.filter((event) => event.type === "step");
  const validations = metrics.filter((event) => event.type === "validation");
  const recent = steps.slice(-20);
  return {
    name,
    stage: facts.stage,
    parameters: facts.parameters,
    step: metrics.at(-1)?.step ?? 0,
    steps: facts.steps,
    loss: recent.length === 0 ? null : recent.reduce((sum, { loss }) => sum + loss, 0) / recent.length,
    validation: validations.length === 0 ? null : heldOutLoss(validations.at(-1)!),
    validations: validations.map((event) => [event.step, heldOutLoss(event)] as const),
    leftOut: metrics.filter(({ type }) => type === "left-out").length,
    minutes: steps.reduce((sum, { ms }) => sum + ms, 0) / 60_000,
    startedAt: facts.startedAt,
    recipe: await readRunRecipe(folder),
  };
}

const figure = (value: number | null): string => (value === null ? "" : value.toFixed(3));

function listText(runs: readonly RunSummary[]): string {
  return tabulate([
    ["NAME", "STAGE", "WEIGHTS", "STEP", "LOSS", "HELD OUT", "MINUTES"].map((head) => paint("faint", head)),
    ...runs.map(({ name, stage, parameters, step, steps, loss, validation, minutes }) => [
      name,
      stage,
      shortNumber(parameters),
      `${step}/${steps}`,
      figure(loss),
      figure(validation),
      minutes.toFixed(1),
    ]),
  ]);
}

/** A table of the recipes' differences, and one of held-out losses by step. */
function comparison(runs: readonly RunSummary[]): string[] {
  const recipes = runs.map(({ recipe }) => flat(recipe));
  const fields = [...new Set(recipes.flatMap((recipe) => [...recipe.keys()]))];
  const differing = fields.filter((field) => new Set(recipes.map((recipe) => recipe.get(field))).size > 1);
  const heads = (first: string): string[] =>
    [first, ...runs.map(({ name }) => name)].map((head) => paint("faint", head));
  const rows = differing.map((field) => [field, ...recipes.map((recipe) => recipe.get(field) ?? "")]);
  const steps = [...new Set(runs.flatMap(({ validations }) => validations.map(([step]) => step)))].sort(
    (a, b) => a - b,
  );
  const every = Math.ceil(steps.length / ROWS);
  const shown = steps.filter((_, i) => (steps.length - 1 - i) % every === 0);
  const losses = shown.map((step) => {
    const at = runs.map(({ validations }) => validations.find((validation) => validation[0] === step)?.[1] ?? null);
    return [String(step), ...at.map(figure)];
  });
  return [
    rows.length === 0 ? "The recipes are the same." : tabulate([heads("RECIPE"), ...rows]),
    ...(losses.length === 0 ? [] : [tabulate([heads("HELD OUT AT"), ...losses])]),
  ];
}

function flat(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...flat(inner, path === "" ? key : `${path}.${key}`)]),
  );
}
