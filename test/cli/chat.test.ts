// `liang chat` as a process: from a pipe, and in a pseudo-terminal (of the `script` program), where keys are keys.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { after, test } from "node:test";
import { ROOT, liangIn } from "./harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-cli-chat-"));
after(() => rm(home, { recursive: true }));

test("from a pipe each line is a message; a mistake is told and shows in the exit code", async () => {
  const saved = join(home, "saved.json");
  const input = ["Once upon a time", '"""', "two", "lines", '"""', "/nope", `/save ${saved}`].join("\n");
  const { code, stdout, stderr } = await liangIn(home).run(
    ["chat", "stories260k", "--temperature", "0", "--max-tokens", "5"],
    {
      input,
    },
  );
  assert.equal(code, 2);
  assert.equal(stderr, "There is no command /nope. /help lists them.\n");
  assert.match(stdout, /^stories260K holds 512 tokens.*\n.*not made for chat.*\n, there was a/);
  const { messages } = JSON.parse(await readFile(saved, "utf8")) as { messages: { role: string; content: string }[] };
  assert.deepEqual(
    messages.map(({ role }) => role),
    ["user", "assistant", "user", "assistant"],
  );
  assert.equal(messages[2].content, "two\nlines");
});

/** A terminal of 80 columns in which `liang chat` runs: types keys, and waits for what the screen says. */
class Terminal {
  readonly #child = spawn(
    "script",
    [
      "-qec",
      `stty cols 80 rows 24; "${process.execPath}" "${join(ROOT, "src/cli/main.ts")}" chat stories260k --temperature 0`,
      "/dev/null",
    ],
    { env: { ...process.env, LIANG_HOME: home, TERM: "xterm" } },
  );
  readonly ended = once(this.#child, "exit") as Promise<[number]>;
  #raw = "";
  #seen = 0;

  constructor() {
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.#raw += chunk));
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits until the screen has said `pattern` after what was waited for before. */
  async says(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const text = stripVTControlCharacters(this.#raw).replaceAll("\r", "").slice(this.#seen);
      const found = pattern.exec(text);
      if (found !== null) {
        this.#seen += found.index + found[0].length;
        return;
      }
      if (performance.now() > deadline) assert.fail(`waited for ${pattern}, found ${JSON.stringify(text)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

test(
  "in a terminal pasted lines are one message, Ctrl-C stops the reply alone, Ctrl-D leaves",
  { skip: hasScript ? false : "needs the program script (util-linux)" },
  async () => {
    using terminal = new Terminal();
    await terminal.says(/› /);
    terminal.type("\x1b[200~Once upon a time\rthere was\x1b[201~");
    await terminal.says(/› Once upon a time\n {2}there was/);
    terminal.type(" a\x7fan old man\r");
    await terminal.says(/an old man\n[^›]+/); // the reply has begun
    terminal.type("/system\r/sys"); // waits for the reply's end, the rest for its own Enter
    terminal.type("\x03");
    await terminal.says(/stopped[^›]*› \/system\n[^›]*› \/sys/);
    terminal.type("\x03");
    terminal.type("/system 你好\x7f吗\r");
    await terminal.says(/system prompt set[^›]*› /);
    terminal.type("/system\r");
    await terminal.says(/你吗\n› /);
    terminal.type("\x03");
    await terminal.says(/Ctrl-C again[^›]*› /);
    terminal.type("\x04");
    assert.deepEqual(await terminal.ended, [0, null]);
  },
);
