// Reads a SentencePiece `.model` file (a protocol buffer, sentencepiece_model.proto) into a plain object: pieces with
// scores and types, the trainer's model type and special ids, the normalizer. Unknown fields are skipped, as protocol
// buffers ask. Not here: tokenizing (text/).
import { FormatError } from "../base/errors.ts";
import { fields, type ProtoField } from "./protobuf.ts";

/** A piece's kind; its number in the file is its place here plus one. */
export const pieceTypes = ["normal", "unknown", "control", "user_defined", "unused", "byte"] as const;
export type PieceType = (typeof pieceTypes)[number];

const modelTypes = ["unigram", "bpe", "word", "char"] as const; // numbered from 1

export interface SentencePieceModel {
  readonly pieces: readonly string[];
  readonly scores: Float32Array;
  readonly types: readonly PieceType[];
  readonly modelType: (typeof modelTypes)[number];
  /** Characters that no piece covers become byte pieces. */
  readonly byteFallback: boolean;
  /** -1: the model has none. */
  readonly ids: { readonly unk: number; readonly bos: number; readonly eos: number; readonly pad: number };
  readonly normalizer: {
    /** "nmt_nfkc", "identity", ... */
    readonly name: string;
    /** The compiled replacement rules; empty for identity. */
    readonly charsmap: Uint8Array;
    readonly addDummyPrefix: boolean;
    readonly removeExtraWhitespaces: boolean;
    readonly escapeWhitespaces: boolean;
  };
}

/** Parses the bytes of a model file; throws FormatError naming the field. */
export function parseSentencePiece(file: string, bytes: Uint8Array): SentencePieceModel {
  const pieces: string[] = [];
  const scores: number[] = [];
  const types: PieceType[] = [];
  let trainer: Uint8Array = new Uint8Array(0);
  let normalizer: Uint8Array = new Uint8Array(0);
  for (const field of fields(file, "model", bytes)) {
    if (field.number === 1) {
      const { piece, score, type } = readPiece(file, pieces.length, field.bytes());
      pieces.push(piece);
      scores.push(score);
      types.push(type);
    } else if (field.number === 2) trainer = field.bytes();
    else if (field.number === 3) normalizer = field.bytes();
  }
  if (pieces.length === 0) throw new FormatError(file, "pieces", 0, "at least one; is it a SentencePiece model?");
  return {
    pieces,
    scores: Float32Array.from(scores),
    types,
    ...readTrainer(file, trainer, pieces.length),
    normalizer: readNormalizer(file, normalizer),
  };
}

function readPiece(file: string, index: number, bytes: Uint8Array) {
  const where = `piece[${index}]`;
  let piece = "";
  let score = 0;
  let type: PieceType = "normal";
  for (const field of fields(file, where, bytes)) {
    if (field.number === 1) piece = field.text();
    else if (field.number === 2) score = field.float();
    else if (field.number === 3) type = named(file, `${where} type`, pieceTypes, field);
  }
  return { piece, score, type };
}

function readTrainer(file: string, bytes: Uint8Array, pieceCount: number) {
  // defaults of the .proto
  const ids = { unk: 0, bos: 1, eos: 2, pad: -1 };
  const idFields: Readonly<Record<number, keyof typeof ids>> = { 40: "unk", 41: "bos", 42: "eos", 43: "pad" };
  let modelType: SentencePieceModel["modelType"] = "unigram";
  let byteFallback = false;
  for (const field of fields(file, "trainer_spec", bytes)) {
    const idName = idFields[field.number];
    if (field.number === 3) modelType = named(file, "model_type", modelTypes, field);
    else if (field.number === 35) byteFallback = field.integer() !== 0;
    else if (idName !== undefined) ids[idName] = field.integer();
  }
  for (const [name, id] of Object.entries(ids)) {
    if (id < -1 || id >= pieceCount) {
      throw new FormatError(file, `${name}_id`, id, `-1 to ${pieceCount - 1}, the last piece`);
    }
  }
  return { modelType, byteFallback, ids };
}

function readNormalizer(file: string, bytes: Uint8Array): SentencePieceModel["normalizer"] {
  let name = "";
  let charsmap: Uint8Array = new Uint8Array(0);
  let addDummyPrefix = true;
  let removeExtraWhitespaces = true;
  let escapeWhitespaces = true;
  for (const field of fields(file, "normalizer_spec", bytes)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 2) charsmap = field.bytes().slice();
    else if (field.number === 3) addDummyPrefix = field.integer() !== 0;
    else if (field.number === 4) removeExtraWhitespaces = field.integer() !== 0;
    else if (field.number === 5) escapeWhitespaces = field.integer() !== 0;
  }
  return { name, charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces };
}

function named<const T extends string>(file: string, where: string, names: readonly T[], field: ProtoField): T {
  const number = field.integer();
  const name = names[number - 1];
  if (name === undefined) throw new FormatError(file, where, number, `1 to ${names.length}`);
  return name;
}
