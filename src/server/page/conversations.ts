// The routes of conversations: list, search, make, change, delete, export, import, and replies (whose running is
// replies.ts). Thin: checks what the page sent, calls the storage, answers in the shapes of api-types.ts.
import { Hono, type Context } from "hono";
import { FormatError, NotFoundError, UsageError } from "../../base/errors.ts";
import type { ConversationSettings, Storage, StoredMessage, WholeConversation } from "../../store/index.ts";
import type {
  Conversation,
  ConversationExport,
  ConversationList,
  ConversationSummary,
  Deleted,
  Imported,
  Settings,
  Stopped,
} from "../api-types.ts";
import { check, readJson } from "../body.ts";
import { reportError } from "../errors.ts";
import type { ModelPool } from "../model-pool.ts";
import { sseResponse } from "../sse.ts";
import { toSummary, type ReplyRunner } from "./replies.ts";
import * as schemas from "./schemas.ts";

const IMPORT_BYTES_MAX = 256 * 2 ** 20; // years of chatting
const TITLE_LENGTH = 48; // characters of a title made from the first message
const SETTINGS_KEY = "conversation-defaults";

/** The routes under /api/settings and /api/conversations. */
export function conversationRoutes(options: {
  storage: Storage;
  pool: ModelPool;
  replies: ReplyRunner;
  log: (error: unknown) => void;
}): Hono {
  const { storage, pool, replies, log } = options;
  const stream = (events: AsyncIterable<object>) =>
    sseResponse(events, { onError: (error) => ({ type: "error", error: reportError(error, log) }) });
  const { conversations } = storage;
  const app = new Hono();
  const summary = async (id: string) => toSummary(await conversations.get(id), replies.writing(id) !== undefined);

  const defaults = async (): Promise<ConversationSettings> =>
    schemas.settings.catch({}).parse((await storage.settings.get(SETTINGS_KEY)) ?? {});

  app.get("/api/settings", async (c) => c.json<Settings>(await defaults()));

  app.put("/api/settings", async (c) => {
    const settings = await readJson(c.req.raw, schemas.settings);
    await storage.settings.set(SETTINGS_KEY, settings);
    return c.json<Settings>(settings);
  });

  app.get("/api/conversations", async (c) => {
    const page = await conversations.list(check(schemas.listQuery, c.req.query()));
    return c.json<ConversationList>({
      conversations: page.conversations.map((row) => toSummary(row, replies.writing(row.id) !== undefined)),
      next: page.next,
    });
  });

  app.post("/api/conversations", async (c) => {
    const { title = "", model = null, settings } = await readJson(c.req.raw, schemas.newConversation);
    const made = await conversations.create({ title, model, settings: settings ?? (await defaults()) });
    return c.json<Conversation>({ ...toSummary(made, false), messages: [] }, 201);
  });

  // Before "/:id", or "export" would be an id.
  app.get("/api/conversations/export", async (c) => {
    const all: WholeConversation[] = [];
    let before: string | undefined;
    do {
      const page = await conversations.list({ limit: 200, before });
      for (const { id } of page.conversations) all.push(await conversations.getWhole(id));
      before = page.next ?? undefined;
    } while (before !== undefined);
    return exported(c, all, "liang-conversations.json");
  });

  app.post("/api/conversations/import", async (c) => {
    const body = await readJson(c.req.raw, schemas.conversationExport, IMPORT_BYTES_MAX);
    const whole = body.conversations.map((one) => ({ ...one, messages: one.messages.map(asStored) }));
    try {
      return c.json<Imported>({ ids: await conversations.import(whole) }, 201);
    } catch (error) {
      if (error instanceof FormatError) throw new UsageError(error.message, { field: error.field, cause: error });
      throw error;
    }
  });

  app.get("/api/conversations/:id", async (c) => {
    const id = idOf(c);
    const { messages, ...conversation } = await conversations.getWhole(id);
    const writing = replies.writing(id);
    return c.json<Conversation>({
      ...toSummary(conversation, writing !== undefined),
      messages: messages.map((message) => (message.id === writing ? { ...message, status: "writing" } : message)),
    });
  });

  app.patch("/api/conversations/:id", async (c) => {
    const { tip = false, head, ...change } = await readJson(c.req.raw, schemas.conversationChange);
    const id = idOf(c);
    const shown = head === undefined || !tip ? head : await conversations.tip(id, head);
    await conversations.change(id, { ...change, head: shown });
    return c.json<ConversationSummary>(await summary(id));
  });

  app.delete("/api/conversations/:id", async (c) => {
    await replies.stop(idOf(c));
    await conversations.delete(idOf(c));
    return c.json<Deleted>({ deleted: true });
  });

  app.get("/api/conversations/:id/export", async (c) => {
    const whole = await conversations.getWhole(idOf(c));
    return exported(c, [whole], `liang-conversation-${whole.id}.json`);
  });

  app.post("/api/conversations/:id/reply", async (c) => {
    const id = idOf(c);
    const body = await readJson(c.req.raw, schemas.replyRequest);
    const name = body.model === undefined ? undefined : (await pool.catalogue.find(body.model)).name;
    const events = await replies.start(id, async () => {
      const conversation = await conversations.get(id);
      const message = await userMessage(id, body.parent, body.content);
      const title = conversation.title === "" && body.content !== undefined ? titleOf(body.content) : undefined;
      await conversations.change(id, { model: name, title });
      return { message, isNew: body.content !== undefined };
    });
    return stream(events);
  });

  app.get("/api/conversations/:id/reply", (c) => {
    const events = replies.attach(idOf(c));
    if (events === undefined) throw new NotFoundError("No reply of this conversation is being written.");
    return stream(events);
  });

  app.post("/api/conversations/:id/stop", async (c) => c.json<Stopped>({ stopped: await replies.stop(idOf(c)) }));

  /** The user's message to reply to: a new one under `parent`, or `parent` itself. */
  const userMessage = async (
    id: string,
    parent: string | null,
    content: string | undefined,
  ): Promise<StoredMessage> => {
    if (content !== undefined) {
      return conversations.addMessage(id, { parent, role: "user", content, status: "complete" });
    }
    const message = parent === null ? undefined : (await conversations.path(id, parent)).at(-1);
    if (message?.role !== "user") {
      throw new UsageError("parent is no user's message, expected one when content is missing.", { field: "parent" });
    }
    return message;
  };

  return app;
}

const idOf = (c: Context) => c.req.param("id") ?? "";

function exported(c: Context, whole: readonly WholeConversation[], fileName: string): Response {
  c.header("content-disposition", `attachment; filename="${fileName}"`);
  return c.json<ConversationExport>({
    format: "liang-conversations",
    version: 1,
    exportedAt: Date.now(),
    conversations: whole,
  });
}

/** An imported message as it is stored: one that was being written is one that was stopped. */
function asStored(message: ConversationExport["conversations"][number]["messages"][number]): StoredMessage {
  return { ...message, status: message.status === "writing" ? "stopped" : message.status };
}

/** The first line of a message, cut between characters. */
function titleOf(content: string): string {
  const line = content.trim().split("\n", 1)[0];
  const characters = [...new Intl.Segmenter().segment(line.slice(0, TITLE_LENGTH * 8))].map(({ segment }) => segment);
  return characters.length <= TITLE_LENGTH ? characters.join("") : `${characters.slice(0, TITLE_LENGTH).join("")}…`;
}
