// Pulling from a hub-like server that this file starts: both kinds, and everything that goes wrong on the way.
import assert from "node:assert/strict";
import { mkdir, readFile, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FormatError, LiangError, NotFoundError, UsageError, isAbort } from "../../src/base/errors.ts";
import type { Progress } from "../../src/base/progress.ts";
import { openModelList, pullModel, type PullOptions } from "../../src/store/index.ts";
import { pseudoRandom, startHub, temporaryFolder, type HubFaults, type HubServer } from "./hub-server.ts";

const ID = "org/repo-GGUF";
const FILE = "repo-Q4_K_M.gguf";
const BYTES = pseudoRandom(200_000);
const FILES = { [FILE]: BYTES, "repo-Q8_0.gguf": pseudoRandom(30_000, 2), "README.md": pseudoRandom(10) };

const start = (kind: "huggingface" | "modelscope", faults: HubFaults = {}, files: HubServer["files"] = FILES) =>
  startHub(kind, ID, files, faults);

/** A pull with short waits, whose notices and progress are kept. */
async function pull(hub: HubServer, folder: string, options: Partial<PullOptions> = {}) {
  const notices: string[] = [];
  const progress: Progress[] = [];
  const result = await pullModel({
    name: ID,
    folder,
    endpoint: hub.endpoint,
    retryDelayMs: 1,
    onNotice: (text) => notices.push(text),
    onProgress: (report) => progress.push(report),
    ...options,
  });
  return { ...result, notices, progress };
}
const place = (folder: string, file = FILE) => join(folder, "models", "org", "repo-GGUF", file);
const hasCode = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LiangError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

for (const kind of ["huggingface", "modelscope"] as const) {
  describe(`a hub of ${kind}'s kind`, () => {
    test("without a wish the usual format comes, whole, on the list under its name", async () => {
      await using hub = await start(kind);
      const folder = await temporaryFolder();
      const { model, fetchedBytes, progress } = await pull(hub, folder, { kind });
      assert.equal(model.name, `${ID}:Q4_K_M`);
      assert.equal(model.path, place(folder));
      assert.equal(fetchedBytes, BYTES.length);
      assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
      assert.deepEqual(await readdir(join(folder, "models", "org", "repo-GGUF")), [FILE]);
      assert.equal((await openModelList(folder).find(ID)).path, model.path);
      assert.equal((await openModelList(folder).find(ID)).source, `${hub.endpoint}/${ID}`);
      assert.deepEqual(progress.at(-1), { label: "download", done: BYTES.length, total: BYTES.length, unit: "bytes" });
    });

    test("a format or a file name after the colon is obeyed", async () => {
      await using hub = await start(kind);
      const folder = await temporaryFolder();
      assert.equal((await pull(hub, folder, { kind, name: `${ID}:q8_0` })).model.name, `${ID}:Q8_0`);
      assert.equal(
        (await pull(hub, folder, { kind, name: `${ID}:repo-Q8_0.gguf` })).model.path,
        place(folder, "repo-Q8_0.gguf"),
      );
      await assert.rejects(pull(hub, folder, { kind, name: `${ID}:Q2_K` }), (error) => {
        return error instanceof NotFoundError && /There are: Q4_K_M, Q8_0/.test(error.message);
      });
    });

    test("connections that break go on where they broke", async () => {
      await using hub = await start(kind, { cut: { afterBytes: 50_000, times: 3 } });
      const folder = await temporaryFolder();
      const { model, notices } = await pull(hub, folder, { kind });
      assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
      assert.equal(notices.length, 1, "only what is pulled");
      const ranges = hub.fileRequests.map((request) => request.headers.range);
      assert.equal(ranges[0], undefined);
      assert.ok(ranges.length === 4 && ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? "")));
      assert.ok(hub.sentBytes < BYTES.length + 4 * 10_000, "what has arrived is not sent again");
    });

    test("parts that come with status 200 and a Content-Range are parts", async () => {
      await using hub = await start(kind, { cut: { afterBytes: 50_000, times: 1 }, partStatus: 200 });
      const { model, notices } = await pull(hub, await temporaryFolder(), { kind });
      assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
      assert.equal(notices.length, 1);
    });

    test("a pull that was stopped goes on at the next one, after checking what is there", async () => {
      await using hub = await start(kind, { cut: { afterBytes: 100_000, times: 99 } });
      const folder = await temporaryFolder();
      await assert.rejects(pull(hub, folder, { kind, attempts: 1 }), hasCode("no_network", /broke/));
      const { size } = await stat(`${place(folder)}.part`);
      assert.ok(size >= 90_000 && size < BYTES.length);
      hub.faults = {};
      const { model, fetchedBytes, progress } = await pull(hub, folder, { kind });
      assert.equal(fetchedBytes, BYTES.length - size);
      assert.equal(progress[0].label, "check");
      assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
      assert.match(String(hub.fileRequests.at(-1)?.headers["if-range"]), /^"/);
    });

    test("a server that knows no ranges is asked for the whole again, and the user is told", async () => {
      await using hub = await start(kind, { cut: { afterBytes: 100_000, times: 1 }, ignoreRange: true });
      const { model, notices } = await pull(hub, await temporaryFolder(), { kind });
      assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
      assert.match(notices[1], /begins again/);
    });

    test("another hash than the hub lists deletes what came and lists nothing", async () => {
      await using hub = await start(kind, { listedSha256: "ab".repeat(32) });
      const folder = await temporaryFolder();
      await assert.rejects(pull(hub, folder, { kind }), hasCode("hash_mismatch", /abab.*deleted/));
      assert.deepEqual(await readdir(join(folder, "models", "org", "repo-GGUF")), []);
      assert.deepEqual(await openModelList(folder).list(), []);
    });

    test("a repository that is not there is named", async () => {
      await using hub = await start(kind);
      await assert.rejects(pull(hub, await temporaryFolder(), { kind, name: "org/none" }), (error) => {
        return error instanceof NotFoundError && /has no org\/none/.test(error.message);
      });
    });

    test("all parts of a split GGUF come, and the first is the model", async () => {
      const parts = Object.fromEntries(
        [1, 2, 3].map((part) => [`Q6_K/big-Q6_K-0000${part}-of-00003.gguf`, pseudoRandom(5000, part)]),
      );
      await using hub = await start(kind, {}, parts);
      const folder = await temporaryFolder();
      const { model, files } = await pull(hub, folder, { kind });
      assert.equal(files.length, 3);
      assert.equal(model.path, place(folder, "Q6_K/big-Q6_K-00001-of-00003.gguf"));
      assert.equal(model.bytes, 15_000);
    });

    test("without GGUF files the folder of safetensors comes: settings, tokenizer and weights, nothing else", async () => {
      const wanted = [
        "config.json",
        "tokenizer.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
      ];
      const others = ["consolidated.safetensors", "pytorch_model.bin", "onnx/model.safetensors", "README.md"];
      const entries = [...wanted, ...others].map((path, index) => [path, pseudoRandom(3000, index)] as const);
      await using hub = await start(kind, {}, Object.fromEntries(entries));
      const folder = await temporaryFolder();
      const { model } = await pull(hub, folder, { kind });
      assert.equal(model.name, ID);
      assert.deepEqual((await readdir(model.path)).toSorted(), wanted.toSorted());
      const again = await pull(hub, folder, { kind });
      assert.equal(again.fetchedBytes, 0);
    });
  });
}

describe("trouble", () => {
  test("a complete model is only checked; a damaged one is fetched again", async () => {
    await using hub = await start("huggingface");
    const folder = await temporaryFolder();
    await pull(hub, folder);
    const again = await pull(hub, folder);
    assert.equal(again.fetchedBytes, 0);
    assert.equal(hub.fileRequests.length, 1);
    await writeFile(place(folder), pseudoRandom(BYTES.length, 9));
    assert.equal((await pull(hub, folder)).fetchedBytes, BYTES.length);
    assert.deepEqual(new Uint8Array(await readFile(place(folder))), BYTES);
  });

  test("a small file of git is checked by git's hash", async () => {
    const files = { "config.json": pseudoRandom(500, 3), "model.safetensors": pseudoRandom(500, 4) };
    await using hub = await start("huggingface", {}, files);
    const folder = await temporaryFolder();
    await pull(hub, folder);
    const config = place(folder, "config.json");
    await writeFile(config, pseudoRandom(500, 5));
    assert.equal((await pull(hub, folder)).fetchedBytes, 500);
    assert.deepEqual(new Uint8Array(await readFile(config)), files["config.json"]);
  });

  test("a part that went bad on the disk ends in a hash error, and the next pull is whole", async () => {
    await using hub = await start("huggingface", { cut: { afterBytes: 100_000, times: 99 } });
    const folder = await temporaryFolder();
    await assert.rejects(pull(hub, folder, { attempts: 1 }));
    hub.faults = {};
    const part = `${place(folder)}.part`;
    const bytes = await readFile(part);
    bytes[1000] ^= 1;
    await writeFile(part, bytes);
    await assert.rejects(pull(hub, folder), hasCode("hash_mismatch", /deleted/));
    assert.equal((await pull(hub, folder)).fetchedBytes, BYTES.length);
  });

  test("a new version on the hub begins again instead of mixing two", async () => {
    await using hub = await start("huggingface", { cut: { afterBytes: 100_000, times: 99 } });
    const folder = await temporaryFolder();
    await assert.rejects(pull(hub, folder, { attempts: 1 }));
    const fresh = pseudoRandom(BYTES.length, 42);
    hub.files = { ...FILES, [FILE]: fresh };
    hub.faults = {};
    assert.equal((await pull(hub, folder)).fetchedBytes, BYTES.length);
    assert.deepEqual(new Uint8Array(await readFile(place(folder))), fresh);
  });

  test("a version that changes between two connections of one pull begins again too", async () => {
    const tags = ['"one"', '"two"', '"two"'];
    await using hub = await start("huggingface", { cut: { afterBytes: 100_000, times: 1 }, etag: () => tags.shift() });
    const { model, notices } = await pull(hub, await temporaryFolder());
    assert.match(notices[1], /begins again/);
    assert.deepEqual(new Uint8Array(await readFile(model.path)), BYTES);
  });

  test("a server that knows no ranges on a network that breaks is given up, not asked for ever", async () => {
    await using hub = await start("huggingface", { cut: { afterBytes: 100_000, times: 99 }, ignoreRange: true });
    await assert.rejects(pull(hub, await temporaryFolder()), hasCode("hub_failed", /keeps beginning again/));
  });

  test("more or fewer bytes than the hub lists are refused", async () => {
    await using hub = await start("huggingface", { extraBytes: 10 });
    const folder = await temporaryFolder();
    await assert.rejects(pull(hub, folder), hasCode("size_mismatch", /has more bytes/));
    hub.faults = {};
    const shorter = { ...FILES, [FILE]: BYTES.subarray(0, 1000) };
    const listing = JSON.stringify([
      { type: "file", path: FILE, size: 5000, lfs: { oid: "0".repeat(64), size: 5000 } },
    ]);
    await using other = await start("huggingface", { listing }, shorter);
    await assert.rejects(
      pull(other, await temporaryFolder()),
      hasCode("size_mismatch", /has 1000 bytes, the hub lists 5000/),
    );
  });

  for (const refusal of [401, 403]) {
    test(`a gated model (HTTP ${refusal}) says what to do, with and without a token`, async () => {
      await using hub = await start("huggingface", { token: "hf_right", refusal });
      const folder = await temporaryFolder();
      await assert.rejects(pull(hub, folder), hasCode("gated", /set HF_TOKEN/));
      await assert.rejects(
        pull(hub, folder, { token: "hf_wrong" }),
        hasCode("gated", /account that HF_TOKEN belongs to/),
      );
      await pull(hub, folder, { token: "hf_right" });
    });
  }

  test("the token goes to the endpoint's own host only", async () => {
    await using hub = await start("huggingface", { token: "hf_right" });
    await pull(hub, await temporaryFolder(), { token: "hf_right" });
    assert.ok(hub.frontRequests.length >= 2);
    assert.ok(hub.frontRequests.every((request) => request.headers.authorization === "Bearer hf_right"));
    assert.ok(hub.fileRequests.length > 0);
    assert.ok(hub.fileRequests.every((request) => request.headers.authorization === undefined));
  });

  test("HF_ENDPOINT and HF_TOKEN are the defaults", async () => {
    await using hub = await start("huggingface", { token: "hf_right" });
    process.env["HF_ENDPOINT"] = `${hub.endpoint}/`;
    process.env["HF_TOKEN"] = "hf_right";
    try {
      await pull(hub, await temporaryFolder(), { endpoint: undefined });
    } finally {
      delete process.env["HF_ENDPOINT"];
      delete process.env["HF_TOKEN"];
    }
    assert.equal(hub.fileRequests.length, 1);
  });

  test("a busy hub is asked again after as long as it says, and a dead one given up after the tries allowed", async () => {
    const failures = [{ status: 429, headers: { "retry-after": "0" } }, { status: 503 }];
    await using hub = await start("huggingface", { failures });
    await pull(hub, await temporaryFolder());
    assert.equal(hub.fileRequests.length, 3);
    hub.faults = { failures: Array.from({ length: 9 }, () => ({ status: 503 })) };
    await assert.rejects(pull(hub, await temporaryFolder(), { attempts: 3 }), hasCode("no_network", /HTTP 503/));
    assert.equal(hub.fileRequests.length, 6);
  });

  test("no network is one sentence that says what to do", async () => {
    const hub = await start("huggingface");
    await hub[Symbol.asyncDispose]();
    await assert.rejects(
      pull(hub, await temporaryFolder(), { attempts: 2 }),
      hasCode(
        "no_network",
        /^Cannot reach 127\.0\.0\.1:\d+: nothing answers there\. Check the network, or give another hub/,
      ),
    );
  });

  test("a disk that is too full is found before the first byte", async () => {
    await using hub = await start("huggingface");
    await assert.rejects(
      pull(hub, await temporaryFolder(), { freeBytes: async () => 1e6 }),
      hasCode("disk_full", /needs 51 MB, 1 MB are free/),
    );
    assert.equal(hub.fileRequests.length, 0);
  });

  test("stopping ends at once and keeps what came", async () => {
    const stall = Promise.withResolvers<void>();
    await using hub = await start("huggingface", { stall: stall.promise });
    const folder = await temporaryFolder();
    const abort = new AbortController();
    const pulling = pull(hub, folder, { signal: abort.signal });
    while (hub.fileRequests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => abort.abort(), 20);
    await assert.rejects(pulling, isAbort);
    stall.resolve();
    assert.ok((await readdir(join(folder, "models", "org", "repo-GGUF"))).includes(`${FILE}.part`));
  });

  test("a file that is being fetched is not fetched by another too; afterwards it is there for both", async () => {
    const stall = Promise.withResolvers<void>();
    await using hub = await start("huggingface", { stall: stall.promise });
    const folder = await temporaryFolder();
    const first = pull(hub, folder);
    while (hub.fileRequests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await assert.rejects(
      pull(hub, folder),
      hasCode("locked", /^repo-Q4_K_M\.gguf is being fetched by another process: /),
    );
    assert.equal(hub.fileRequests.length, 1);
    stall.resolve();
    assert.equal((await first).fetchedBytes, BYTES.length);
    assert.deepEqual(Buffer.from(await readFile(place(folder))), Buffer.from(BYTES));
    assert.equal((await pull(hub, folder)).fetchedBytes, 0);
    assert.deepEqual(await readdir(join(folder, "models", "org", "repo-GGUF")), [FILE], "no lock stays behind");
  });

  test("the lock of a pull that died does not stop the next", async () => {
    await using hub = await start("huggingface");
    const folder = await temporaryFolder();
    await mkdir(join(folder, "models", "org", "repo-GGUF"), { recursive: true });
    const lock = `${place(folder)}.part.lock`;
    await writeFile(lock, "");
    await utimes(lock, new Date(0), new Date(0));
    assert.equal((await pull(hub, folder)).fetchedBytes, BYTES.length);
  });

  test("a listing of many pages is read whole, from the hub asked", async () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`notes/${index}.md`, pseudoRandom(5)]));
    await using hub = await start("huggingface", { pageSize: 10 }, { ...many, ...FILES });
    assert.equal((await pull(hub, await temporaryFolder())).model.name, `${ID}:Q4_K_M`);
  });

  test("a listing whose connection breaks is asked for again, and given up in one sentence", async () => {
    await using hub = await start("huggingface", { cutListing: 2 });
    assert.equal((await pull(hub, await temporaryFolder())).model.name, `${ID}:Q4_K_M`);
    hub.faults.cutListing = 9;
    await assert.rejects(pull(hub, await temporaryFolder()), (error) => {
      return error instanceof LiangError && error.code === "no_network" && /127\.0\.0\.1/.test(error.message);
    });
  });

  for (const [what, listing] of [
    ["no JSON", "<html>"],
    ["no list", '{"error":"x"}'],
    ["a negative size", '[{"type":"file","path":"a.gguf","size":-5}]'],
    ["a size that is no number", '[{"type":"file","path":"a.gguf","size":1e300}]'],
    ["no path", '[{"type":"file","size":5}]'],
  ] as const) {
    test(`a listing with ${what} is an error that names the hub`, async () => {
      await using hub = await start("huggingface", { listing });
      await assert.rejects(pull(hub, await temporaryFolder()), (error) => {
        return error instanceof FormatError && error.file.startsWith(hub.endpoint);
      });
    });
  }

  for (const path of [
    "../../evil.gguf",
    "/etc/evil.gguf",
    "a/../../evil.gguf",
    "..\\evil.gguf",
    "a//b.gguf",
    ".evil.gguf",
    "con.gguf",
  ]) {
    test(`a hub that lists ${JSON.stringify(path)} gets nothing written`, async () => {
      const listing = JSON.stringify([{ type: "file", path, size: 5 }]);
      await using hub = await start("huggingface", { listing });
      const folder = await temporaryFolder();
      await assert.rejects(
        pull(hub, folder),
        (error) => error instanceof UsageError && /no safe name/.test(error.message),
      );
      assert.deepEqual(await readdir(folder), []);
    });
  }

  test("names and endpoints that are none are refused", async () => {
    await using hub = await start("huggingface");
    const folder = await temporaryFolder();
    for (const name of ["plain", "../x", "a/b/c", "org/../x", ""]) {
      await assert.rejects(pull(hub, folder, { name }), UsageError, name);
    }
    for (const endpoint of ["nonsense", "constructor", "ftp://hub", "file:///etc", "http://user:pw@hub"]) {
      await assert.rejects(pull(hub, folder, { endpoint }), UsageError, endpoint);
    }
  });
});
