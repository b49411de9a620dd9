// A thread for native.test.ts: calls machine code whose address it is given, and pins itself.
import { availableParallelism } from "node:os";
import { currentWorker, native } from "./index.ts";

const self = currentWorker();
const host = native();
if (self !== undefined && !("reason" in host)) {
  const { code, record } = self.data as { code: number; record: number };
  host.callable(code)(record, 20, 20, 2);
  const last = availableParallelism() - 1;
  self.post({ pinned: host.pinThread(last), cores: availableParallelism(), again: host.pinThread(1) });
}
