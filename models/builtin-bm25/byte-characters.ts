function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/**
 * The byte-level alphabet of GPT-2's tokenizer, as the ByteLevel pre-tokenizer of tokenizer.json
 * applies it: a printable Latin-1 byte stands for itself, the other 68 take the characters from
 * U+0100 on, in order of the byte.
 */
const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPrintable(byte) ? byte : next++),
  );
})();

/** @returns one character for each UTF-8 byte */
export function toByteCharacters(value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return Array.from(bytes, (byte) => BYTE_CHARACTERS[byte] ?? "").join("");
}
