// The other side of workers.test.ts: does the task that its data names.
import { currentWorker } from "./index.ts";

const worker = currentWorker();
if (worker === undefined) throw new Error("runs as a worker only");
const data = worker.data as { task: string; greeting?: string; shared?: Int32Array; moved?: ArrayBuffer };

const tasks: Readonly<Record<string, () => void>> = {
  echo() {
    worker.post({ hello: data.greeting });
    worker.onMessage((message) => worker.post({ echo: message }));
  },
  add() {
    if (data.shared) Atomics.store(data.shared, 0, 42);
    worker.post({ movedBytes: data.moved?.byteLength });
  },
  throw() {
    throw new Error("broken on purpose");
  },
  fill() {
    const kept: object[] = [];
    for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
  },
  loop() {
    worker.post("started");
    for (;;);
  },
};
tasks[data.task]();
