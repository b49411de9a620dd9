// What a file is that is no model, told by its first bytes: people point at the page they saved in place of the file, at
// an archive, at PyTorch's pickles. Not here: the formats that Liang reads.

/** As many bytes as a kind is told by. */
export const FIRST_BYTES = 16;

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** The longer beginnings before the shorter ones. */
const KINDS: readonly (readonly [start: readonly number[], kind: string])[] = [
  [[0x89, ...ascii("PNG")], "PNG"],
  [[0xff, 0xd8, 0xff], "JPEG"],
  [ascii("PK\u0003\u0004"), "ZIP, as PyTorch writes its checkpoints too"],
  [ascii("%PDF"), "PDF"],
  [ascii("version https://"), "a Git LFS pointer, not the file itself"],
  [ascii("ggjt").toReversed(), "GGML, older than GGUF"],
  [ascii("ggml").toReversed(), "GGML, older than GGUF"],
  [[0x1f, 0x8b], "gzip"],
  ...[2, 3, 4, 5].map((protocol) => [[0x80, protocol], "pickle, as PyTorch wrote its checkpoints"] as const),
];

/** Such as "89 50 4e 47 0d 0a 1a 0a (PNG)": eight bytes, and what begins so where that is known. */
export function tellFirstBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing (the file is empty)";
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const kind = kindOf(bytes);
  return kind === undefined ? hex : `${hex} (${kind})`;
}

function kindOf(bytes: Uint8Array): string | undefined {
  const known = KINDS.find(([start]) => start.every((byte, i) => bytes[i] === byte));
  if (known !== undefined) return known[1];
  const text = new TextDecoder("latin1").decode(bytes);
  return /^\s*<(!doctype|html|head|\?xml)/i.test(text) ? "HTML, a page in place of the file" : undefined;
}
