// The wire format of protocol buffers, as far as reading a message field by field goes. Untrusted: lengths are held
// against the bytes that are there. Not here: schemas, writing, groups (refused). Source: protobuf.dev, "Encoding".
import { FormatError } from "../base/errors.ts";

/** One field of a message. The readers throw FormatError when the field was written as another kind. */
export interface ProtoField {
  readonly number: number;
  /** A signed integer (int32, int64, enum, bool) of at most 53 bits. */
  integer(): number;
  float(): number;
  /** A view of the bytes of a bytes, string or message field. */
  bytes(): Uint8Array;
  text(): string;
}

type Value =
  | { readonly kind: "varint"; readonly value: bigint }
  | { readonly kind: "fixed64" | "bytes" | "fixed32"; readonly bytes: Uint8Array };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The fields of the message `bytes`, in order; `where` names the message in errors. */
export function* fields(file: string, where: string, bytes: Uint8Array): Generator<ProtoField> {
  let at = 0;
  const fail = (what: string, found: unknown, expected: string): never => {
    throw new FormatError(file, `${where} ${what}`.trim(), found, expected);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) return fail("", "cut off", `more than ${bytes.length} bytes`);
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return fail(`byte ${at}`, "a number of more than ten bytes", "at most ten");
  };
  const take = (number: number, length: number): Uint8Array => {
    if (length > bytes.length - at) {
      return fail(`field ${number}`, `${length} bytes`, `at most the ${bytes.length - at} bytes that are left`);
    }
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (number === 0) fail("field number", 0, "1 or more");
    let value: Value;
    if (wire === 0) value = { kind: "varint", value: varint() };
    else if (wire === 1) value = { kind: "fixed64", bytes: take(number, 8) };
    else if (wire === 2) value = { kind: "bytes", bytes: take(number, Number(varint())) };
    else if (wire === 5) value = { kind: "fixed32", bytes: take(number, 4) };
    else throw new FormatError(file, `${where} field ${number} wire type`, wire, "0, 1, 2 or 5");
    yield readers(number, value, (found, expected) => fail(`field ${number}`, found, expected));
  }
}

function readers(number: number, value: Value, fail: (found: unknown, expected: string) => never): ProtoField {
  const bytes = () => (value.kind === "bytes" ? value.bytes : fail(value.kind, "bytes"));
  return {
    number,
    integer() {
      if (value.kind !== "varint") return fail(value.kind, "an integer");
      const signed = Number(BigInt.asIntN(64, value.value));
      return Number.isSafeInteger(signed) ? signed : fail(signed, "an integer of at most 53 bits");
    },
    float() {
      if (value.kind !== "fixed32") return fail(value.kind, "a float");
      return new DataView(value.bytes.buffer, value.bytes.byteOffset).getFloat32(0, true);
    },
    bytes,
    text() {
      try {
        return utf8.decode(bytes());
      } catch (error) {
        if (error instanceof FormatError) throw error;
        return fail("bytes that are no UTF-8", "UTF-8 text");
      }
    },
  };
}
