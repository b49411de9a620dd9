import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWords, defineCommand } from "./command.ts";
import { generateOptions, loadOptions, loadingOptions, samplingOptions } from "./sampling.ts";

const command = defineCommand({
  summary: "",
  usage: "",
  words: { least: 0, most: 0 },
  options: { ...samplingOptions, ...loadingOptions },
  async run() {},
});
const optionsOf = (...args: string[]) => parseWords(command, args).options;

test("every sampling option reaches the door under its own name", () => {
  const args = Object.entries(samplingOptions).flatMap(([name, { type }]) => [
    `--${name}`,
    type === "number" ? "0" : "END",
  ]);
  const { stop, ...numbers } = generateOptions(optionsOf(...args));
  assert.deepEqual(stop, ["END"]);
  assert.deepEqual(
    Object.keys(numbers).toSorted(),
    Object.keys(samplingOptions)
      .filter((name) => name !== "stop")
      .map((name) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()))
      .toSorted(),
  );
  assert.ok(Object.values(numbers).every((value) => value === 0));
});

test("negative numbers are values, not options", () => {
  assert.equal(generateOptions(optionsOf("--presence-penalty", "-1.5")).presencePenalty, -1.5);
  assert.equal(generateOptions(optionsOf("--frequency-penalty=-.5")).frequencyPenalty, -0.5);
  assert.throws(() => optionsOf("--stop", "-x"), /--stop/);
});

test("an executor or a precision that is none is refused with what there is", () => {
  assert.equal(loadOptions(optionsOf("--executor", "reference")).executor, "reference");
  assert.throws(() => loadOptions(optionsOf("--executor", "gpu")), /"gpu", expected cpu or reference/);
  assert.throws(() => loadOptions(optionsOf("--precision", "f16")), /expected fast or f32/);
});
