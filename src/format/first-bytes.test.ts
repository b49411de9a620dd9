import assert from "node:assert/strict";
import { test } from "node:test";
import { tellFirstBytes } from "./first-bytes.ts";

const text = (value: string) => new TextEncoder().encode(value);

for (const [bytes, told] of [
  [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13), /^89 50 4e 47 0d 0a 1a 0a \(PNG\)$/],
  [text("PK\u0003\u0004 archive"), /^50 4b 03 04 .*\(ZIP/],
  [text("%PDF-1.7"), /\(PDF\)$/],
  [text("<!DOCTYPE html><html>"), /\(HTML/],
  [text('\n<html lang="en">'), /\(HTML/],
  [Uint8Array.of(0x80, 2, 0x8a, 10), /^80 02 8a 0a \(pickle/],
  [text("version https://git-lfs"), /\(a Git LFS pointer/],
  [text("tjgg\u0003"), /\(GGML/],
  [text("hello"), /^68 65 6c 6c 6f$/],
  [Uint8Array.of(1), /^01$/],
  [new Uint8Array(0), /^nothing/],
] as const) {
  test(`a beginning is told as ${told}`, () => assert.match(tellFirstBytes(bytes), told));
}
