// The list of a page's own models: names from files, the built-in one last, what is not open.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { PageModels } from "./models.ts";

let address = "";
const server = createServer((request, response) => {
  // a host that tells no length
  if (request.url === "/told") response.writeHead(200, { "content-length": 123 }).end();
  else if (request.url === "/gone") response.writeHead(404).end();
  else response.writeHead(200).end(request.method === "HEAD" ? undefined : "12345");
});
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const builtInAt = (path: string) => [{ name: "stories260k", address: address + path }];

test("files get a name of their own; those of one name replace each other; the built-in one stands last", async () => {
  const models = new PageModels(builtInAt("/told"));
  assert.equal(models.open([new File(["1"], "My Model-Q4_K_M.gguf")]), "My-Model-Q4_K_M");
  assert.equal(models.open([new File(["12"], "b-00001-of-00002.gguf"), new File(["3"], "b-00002-of-00002.gguf")]), "b");
  models.open([new File(["1234"], "My Model-Q4_K_M.gguf")]);
  assert.deepEqual(
    (await models.list()).map(({ name, bytes, builtIn }) => [name, bytes, builtIn]),
    [
      ["My-Model-Q4_K_M", 4, false],
      ["b", 3, false],
      ["stories260k", 123, true],
    ],
  );
});

test("the built-in model's size is found where the host does not tell it, and that it is gone", async () => {
  const sizeAt = async (path: string) => (await new PageModels(builtInAt(path)).find("stories260k")).bytes;
  assert.equal(await sizeAt("/untold"), 5);
  assert.equal(await sizeAt("/gone"), null);
});

test("a model that is not open says what to do", async () => {
  await assert.rejects(
    new PageModels(builtInAt("/told")).find("b"),
    /"b" is not open on this page\. Open its file again/,
  );
});
