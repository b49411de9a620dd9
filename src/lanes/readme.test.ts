// The kernel that README.md shows, as it stands there, on machines of every width.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { type Kernel, defineKernel, interpret, traceKernel, wasmMachine } from "./index.ts";

const text = readFileSync(new URL("README.md", import.meta.url), "utf8");
const [, source] = /```ts\nexport const add = ([^]*?);\n```/.exec(text)!;
const module = `export default (defineKernel) => ${source};`;
const shown = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as {
  default: (define: typeof defineKernel) => Kernel;
};
const add = shown.default(defineKernel);

for (const lanes of [4, 8, 16] as const) {
  it(`the example adds all elements with ${lanes} lanes, in any number of parts`, () => {
    const machine = { ...wasmMachine, lanes };
    const [a, b, out, count] = [1024, 1536, 2048, 96];
    for (const parts of [1, 3]) {
      const memory = new ArrayBuffer(4096);
      new Int32Array(memory).set([a, b, out, count]);
      new Float32Array(memory, a, count).forEach((_, i, values) => (values[i] = i));
      new Float32Array(memory, b, count).fill(1);
      for (let part = 0; part < parts; part++) {
        interpret(traceKernel(add, machine), machine, memory, { record: 0, part, parts, scratch: 3072 });
      }
      const expected = Array.from({ length: count }, (_, i) => i + 1);
      assert.deepEqual([...new Float32Array(memory, out, count)], expected);
    }
  });
}
