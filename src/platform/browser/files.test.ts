// The browser's files in Node, which has the same File, Blob and fetch: opened files by path, a server's by address.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { FormatError, LiangError, NotFoundError, UnsupportedError } from "../../base/errors.ts";
import {
  createFileWriter,
  fileFacts,
  joinPath,
  listFolder,
  openFile,
  openedFiles,
  readText,
  splitPath,
} from "./files.ts";

const bytes = Uint8Array.from({ length: 5 << 20 }, (_, i) => i & 255);

describe("opened files", () => {
  test("lie in a folder under their names until it is closed", async () => {
    const files = [new File(["量变"], "b.txt"), new File([bytes.subarray(0, 1000)], "a.bin", { lastModified: 7 })];
    const { folder, close } = openedFiles(files);
    assert.deepEqual(await listFolder(folder), [
      { name: "a.bin", kind: "file", sizeBytes: 1000, modifiedMs: 7 },
      { name: "b.txt", kind: "file", sizeBytes: 6, modifiedMs: files[0].lastModified },
    ]);
    assert.equal((await fileFacts(folder))?.kind, "folder");
    assert.equal(await readText(joinPath(folder, "b.txt"), 10), "量变");
    const source = await openFile(joinPath(folder, "a.bin"));
    const into = new Uint8Array(new SharedArrayBuffer(4));
    await source.read(254, into);
    assert.deepEqual([...into], [254, 255, 0, 1]);
    await assert.rejects(source.read(998, new Uint8Array(3)), FormatError);
    close();
    assert.equal(await fileFacts(folder), undefined);
    await assert.rejects(openFile(joinPath(folder, "a.bin")), NotFoundError);
  });

  test("two of one name are refused; the same name may be opened again later", () => {
    assert.throws(() => openedFiles([new File([], "x"), new File([], "x")]), FormatError);
    using first = openedFiles([new File(["1"], "x")]);
    using second = openedFiles([new File(["2"], "x")]);
    assert.notEqual(first.folder, second.folder);
  });

  test("writing is refused with the reason", async () => {
    await assert.rejects(createFileWriter("/opened/1/out.gguf"), (error: LiangError) => {
      assert.ok(error instanceof UnsupportedError);
      assert.match(error.message, /A page in a browser cannot write/);
      return true;
    });
  });
});

describe("a server's files", () => {
  let server: Server;
  let address = "";
  const asked: string[] = [];
  before(async () => {
    server = createServer((request, response) => {
      const { range = "" } = request.headers;
      asked.push(`${request.url} ${range}`);
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range) ?? [];
      if (request.url === "/gone") return response.writeHead(404).end();
      if (request.url === "/broken") return response.writeHead(500).end();
      if (request.url === "/whole") return response.end(bytes); // knows no ranges
      const part = bytes.subarray(Number(from), Number(to) + 1);
      response.writeHead(206, { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` });
      return response.end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  for (const path of ["/ranges", "/whole"]) {
    test(`are read anywhere, where the server ${path === "/whole" ? "knows no" : "knows"} ranges`, async () => {
      assert.deepEqual(await fileFacts(address + path), { kind: "file", sizeBytes: bytes.length, modifiedMs: 0 });
      const source = await openFile(address + path);
      assert.equal(source.size, bytes.length);
      for (const [offset, length] of [
        [0, 16],
        [bytes.length - 3, 3],
        [(4 << 20) - 1, 2], // what came first and what did not
        [5, 0],
      ]) {
        const into = new Uint8Array(length);
        await source.read(offset, into);
        assert.deepEqual(into, bytes.slice(offset, offset + length));
      }
      assert.equal(
        asked.filter((one) => one.startsWith(`${path} bytes=0-`)).length,
        1,
        "the beginning is asked for once",
      );
    });
  }

  test("what is not there, or not answered, is told apart", async () => {
    assert.equal(await fileFacts(`${address}/gone`), undefined);
    await assert.rejects(openFile(`${address}/gone`), NotFoundError);
    await assert.rejects(openFile(`${address}/broken`), /its server answers 500/);
    await assert.rejects(openFile("http://127.0.0.1:1/x"), /its server does not answer/);
  });
});

test("paths are joined and split, addresses too", () => {
  assert.equal(joinPath("/opened/1", "a.gguf"), "/opened/1/a.gguf");
  assert.equal(joinPath("https://host/models/", "a.gguf"), "https://host/models/a.gguf");
  assert.deepEqual(splitPath("https://host/models/a.gguf"), { folder: "https://host/models", name: "a.gguf" });
  assert.deepEqual(splitPath("a.gguf"), { folder: "", name: "a.gguf" });
});
