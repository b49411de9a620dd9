// Reads Server-Sent Events whose `data:` is one JSON object each; comments (pings) and other fields are passed over.
// Pure over a byte stream, cut anywhere.

/** Throws SyntaxError on data that is no JSON. */
export async function* readEvents<Event>(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split(/\r?\n/);
      rest = done ? "" : lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("data:")) data += line.slice(5).trimStart();
        else if (line === "" && data !== "") {
          yield JSON.parse(data) as Event;
          data = "";
        }
      }
      if (done) break;
    }
    if (data !== "") yield JSON.parse(data) as Event;
  } finally {
    // Leaving the loop early closes the connection; an error of a connection already gone says nothing new.
    await reader.cancel().catch(() => undefined);
  }
}
