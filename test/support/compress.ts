/** A zstd file of stored blocks (RFC 8878, 3.1.1.2.2): whole for any reader, and made without a tool. */
const BLOCK_BYTES = 100_000;

export function zstdStored(text: string): Buffer {
  const data = Buffer.from(text);
  // Magic; one segment with a content size of four bytes.
  const header = Buffer.alloc(9);
  header.writeUInt32LE(0xfd2fb528, 0);
  header.writeUInt8(0b1010_0000, 4);
  header.writeUInt32LE(data.length, 5);
  const parts = [header];
  for (let at = 0; at === 0 || at < data.length; at += BLOCK_BYTES) {
    const block = data.subarray(at, at + BLOCK_BYTES);
    const last = at + BLOCK_BYTES >= data.length ? 1 : 0;
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | last, 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}
