// What `liang quantize` says at the end, within 80 columns: sizes, errors, what both models predict.
import type { QuantizeReport, TensorError } from "../quantize/index.ts";
import { bytes, duration, tabulate } from "./terminal.ts";

const WORST = 3;

/** `everyTensor`: the error of each tensor besides. */
export function reportLines(report: QuantizeReport, everyTensor: boolean): string[] {
  const { path, family, parameters, tensors, comparison, seconds } = report;
  return [
    `${path}: ${family}, ${parameters} weights in ${tensors.length} tensors, ${bytes(report.bytes)}`,
    tabulate([
      ["  size", sizeOf(report)],
      ["  types", typesOf(tensors)],
      ["  error", `${share(report.error)} of the weights' size, in all`],
      ...worstOf(tensors).map(({ name, error }, i) => [i === 0 ? "  largest errors" : "", `${share(error)} ${name}`]),
      ...comparisonRows(comparison),
      ["  took", duration(1000 * seconds)],
    ]),
    ...(everyTensor ? [tensorTable(tensors)] : []),
  ];
}

const sizeOf = ({ bytes: after, bytes_before: before, ...report }: QuantizeReport): string =>
  `${report.bits_per_weight.toFixed(2)} bits a weight, was ${report.bits_per_weight_before.toFixed(2)}; ` +
  `${share(after / before)} of the ${bytes(before)} before`;

function typesOf(tensors: readonly TensorError[]): string {
  const counts = new Map<string, number>();
  for (const { to } of tensors) counts.set(to, (counts.get(to) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([type, count]) => `${count} ${type}`)
    .join(", ");
}

const worstOf = (tensors: readonly TensorError[]): TensorError[] =>
  tensors
    .filter(({ error }) => error > 0)
    .sort((a, b) => b.error - a.error)
    .slice(0, WORST);

function comparisonRows(comparison: QuantizeReport["comparison"]): string[][] {
  if ("skipped" in comparison) return [["  original", `not compared: ${comparison.skipped}`]];
  const { tokens, perplexity_original: before, perplexity_copy: after, ...rest } = comparison;
  const change = after / before - 1;
  const leftOver = rest.tokens_left_over === 0 ? "" : ` (${rest.tokens_left_over} more were left)`;
  return [
    ["  perplexity", `${before.toPrecision(5)} -> ${after.toPrecision(5)} (${change < 0 ? "" : "+"}${share(change)})`],
    [
      "  divergence",
      `${rest.kl_divergence.toPrecision(3)} nats a token, one in 100 above ${rest.kl_divergence_99.toPrecision(3)}`,
    ],
    ["  same choice", `${share(rest.same_top)} of ${tokens} tokens${leftOver}`],
  ];
}

function tensorTable(tensors: readonly TensorError[]): string {
  return tabulate([
    ["tensor", "from", "to", "bytes", "error"],
    ...tensors.map(({ name, from, to, bytes: size, error }) => [name, from, to, bytes(size), share(error)]),
  ]);
}

/** 0.0123 -> "1.23 %". */
const share = (value: number): string => `${Number((100 * value).toPrecision(3))} %`;
