/**
 * Reading and writing protobuf messages in memory, field by field, so that what is not understood is
 * passed on as it is. https://protobuf.dev/programming-guides/encoding
 */

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message as it stands there. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value's bytes: of `WIRE.bytes` what follows the length. */
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

/** @throws RangeError if the bytes are no protobuf message */
export function* fieldsOf(message: Buffer): Generator<Field, void, undefined> {
  let position = 0;
  while (position < message.length) {
    const start = position;
    const tag = readVarint(message, position);
    const wire = tag.value & 7;
    let contentStart = tag.end;
    if (wire === WIRE.bytes) {
      const length = readVarint(message, tag.end);
      contentStart = length.end;
      position = length.end + length.value;
    } else {
      position = skip(message, tag.end, wire);
    }
    if (position > message.length) throw new RangeError("a field ends after its message");
    yield {
      number: tag.value >>> 3,
      wire,
      content: message.subarray(contentStart, position),
      whole: message.subarray(start, position),
    };
  }
}

/** Gives the new content of a field; undefined removes the field. */
export type Change = (content: Buffer) => Buffer | undefined;

/** Copies a message, changing the content of its fields of bytes that `changes` names. */
export function rewrite(message: Buffer, changes: Readonly<Record<number, Change>>): Buffer {
  const parts: Buffer[] = [];
  let changed = false;
  for (const { number, wire, content, whole } of fieldsOf(message)) {
    const change = wire === WIRE.bytes ? changes[number] : undefined;
    const replaced = change === undefined ? content : change(content);
    if (replaced === content) {
      parts.push(whole);
      continue;
    }
    changed = true;
    if (replaced !== undefined) parts.push(bytesField(number, replaced));
  }
  return changed ? Buffer.concat(parts) : message;
}

export function bytesField(number: number, content: Buffer | string): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([varint(number * 8 + WIRE.bytes), varint(bytes.length), bytes]);
}

/** @param value an integer, 0 … 2^53 */
export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + WIRE.varint), varint(value)]);
}

/** @param value an integer, ± 2^53 */
export function signedField(number: number, value: number): Buffer {
  if (value >= 0) return varintField(number, value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.concat([varint(number * 8 + WIRE.varint), Buffer.from(bytes)]);
}

export function floatField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(number * 8 + WIRE.fixed32), bytes]);
}

/** The signed numbers of a varint, or of several in a row (packed). */
export function readIntegers(content: Buffer): number[] {
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of content) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return values;
}

function skip(message: Buffer, position: number, wire: number): number {
  switch (wire) {
    case WIRE.varint:
      return readVarint(message, position).end;
    case WIRE.fixed64:
      return position + 8;
    case WIRE.fixed32:
      return position + 4;
    default:
      throw new RangeError(`wire type ${wire} at byte ${position}`);
  }
}

/** Exact up to 2^53: tags and lengths; a larger value is only passed over. */
function readVarint(message: Buffer, position: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  for (let end = position; end < message.length; end += 1) {
    const byte = message.readUInt8(end);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: end + 1 };
    factor *= 128;
  }
  throw new RangeError("a number ends after its message");
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
