// The thread on which untrusted templates render: answers each JinjaJob with its JinjaResult. template-runner.ts starts
// it and kills it.
import { currentWorker } from "#platform";
import { renderJinja } from "./template-jinja.ts";
import type { JinjaJob } from "./template-jinja.ts";

const starter = currentWorker();
starter?.onMessage((job) => starter.post(renderJinja(job as JinjaJob)));
// Says that the modules are loaded, so that no job pays for it out of its time.
starter?.post("ready");
