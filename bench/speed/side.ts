// One side of the comparison as its driver sees it: a child process that loads a model, then answers one JSON line for
// each JSON line. Bodies: liang.ts here, and bench/peers/node-llama-cpp/side.mjs.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type Interface, createInterface } from "node:readline";

/** What a side is asked. `ids` are token ids of the model. */
export type Question =
  /** Milliseconds until the prompt is read and the first next token is known. */
  | { readonly run: "prefill"; readonly ids: readonly number[] }
  /** Milliseconds in which `tokens` more are written after the first one. */
  | { readonly run: "decode"; readonly ids: readonly number[]; readonly tokens: number }
  /** The same with the prompt already held, as a conversation goes on. */
  | { readonly run: "deep"; readonly ids: readonly number[]; readonly tokens: number }
  /** Milliseconds in which all sequences together write `tokens` each, after their first ones. */
  | { readonly run: "batch"; readonly ids: readonly number[]; readonly tokens: number }
  /** Liang only: memory read bandwidth of as many threads, GB/s. */
  | { readonly run: "bandwidth" };

export interface Answer {
  readonly ms?: number;
  readonly gbPerSecond?: number;
}

/** The first line of a side. */
export interface Ready {
  readonly ready: true;
  readonly loadMs: number;
  readonly tier?: string;
  readonly bytesPerToken?: number;
  readonly system?: string;
}

export interface SideOptions {
  readonly model: string;
  readonly threads: number;
  readonly window: number;
  readonly sequences: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Side implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  ready!: Ready;

  private constructor(script: string, { model, threads, window, sequences, environment }: SideOptions) {
    this.#child = spawn(process.execPath, [script, model, `${threads}`, `${window}`, `${sequences}`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Starts `script` and waits until its model is loaded. */
  static async start(script: string, options: SideOptions): Promise<Side> {
    const side = new Side(script, options);
    side.ready = (await side.#next()) as Ready;
    return side;
  }

  async ask(question: Question): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return (await this.#next()) as Answer;
  }

  /** Highest resident memory of the process so far, in bytes; undefined where the system does not tell. */
  async peakBytes(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8").catch(() => "");
    const found = /^VmHWM:\s+(\d+) kB/m.exec(status);
    return found === null ? undefined : Number(found[1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    this.#reader.close();
  }

  async #next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#child.spawnargs.slice(1, 3).join(" ")} ended; see what it printed.`);
    return JSON.parse(value);
  }
}
