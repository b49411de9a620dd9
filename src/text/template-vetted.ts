// Chat templates of model files that people have read: they loop over the conversation and the tools and over nothing else,
// so they render on the calling thread, where a start of a thread for them would take as long as reading a prompt.
// Known by the SHA-256 of their text. Not here: templates of our own (template-builtin.ts).

const VETTED: ReadonlyMap<string, string> = new Map([
  ["d5495a1e5db0611132a97e46a65dbb64a642a499421228b9c8b93229097fa9a4", "Qwen2.5 Instruct and Coder"],
]);

/** Texts that were asked for, since a model asks at every message. */
const known = new Map<string, boolean>();
const KNOWN_MAX = 32;

/** Whether somebody has read this very text. */
export async function isVettedText(source: string): Promise<boolean> {
  const asked = known.get(source);
  if (asked !== undefined) return asked;
  const found = VETTED.has(await sha256(source));
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(source, found);
  return found;
}

/** In hexadecimal; "" on pages that have no such function, because they came without encryption. */
async function sha256(text: string): Promise<string> {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  if (subtle === undefined) return "";
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
