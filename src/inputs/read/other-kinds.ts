/** Kinds of files that are not read, told by their first bytes. */

interface OtherKind {
  /** The predicate of a sentence about the file. */
  readonly is: string;
  /** Advice; FILE stands for the path. */
  readonly advice: string;
  readonly magic: readonly (number | undefined)[];
}

const READ = "gzip and zstd are read";

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];
const compressed = (by: string, ...magic: number[]): OtherKind => ({
  is: `is compressed with ${by}`,
  advice: READ,
  magic,
});
const encoded = (as: string, ...magic: number[]): OtherKind => ({
  is: `is ${as} text`,
  advice: `UTF-8 is read: iconv -f ${as} -t UTF-8 FILE > FILE.utf8`,
  magic,
});
const table = (kind: string, magic: readonly number[], advice: string): OtherKind => ({
  is: `is ${kind}`,
  advice: `one JSON object per line is read: ${advice}`,
  magic,
});

/** UTF-32 before UTF-16: its mark of little endian starts with the other's. */
const KINDS: readonly OtherKind[] = [
  compressed("xz", 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
  compressed("lz4", 0x04, 0x22, 0x4d, 0x18),
  compressed("lzma", 0x5d, 0x00, 0x00),
  compressed("7z", 0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c),
  compressed("compress", 0x1f, 0x9d),
  encoded("UTF-32", 0xff, 0xfe, 0x00, 0x00),
  encoded("UTF-32", 0x00, 0x00, 0xfe, 0xff),
  encoded("UTF-16", 0xff, 0xfe),
  encoded("UTF-16", 0xfe, 0xff),
  table(
    "Parquet",
    [...ascii("PAR1"), 0x15],
    `duckdb -c "COPY 'FILE' TO 'FILE.jsonl' (FORMAT json)"`,
  ),
  table(
    "a workbook of an old Excel",
    [0xd0, 0xcf, 0x11, 0xe0],
    "save the sheet as CSV UTF-8, with a header, which is read too",
  ),
  table("Arrow", ascii("ARROW1\u0000"), "convert it first"),
  table("Avro", ascii("Obj\u0001"), "convert it first"),
  table("a SQLite database", ascii("SQLite format 3\u0000"), "export the table first"),
  table("PDF", ascii("%PDF-"), "extract its texts first"),
];

/** Bytes at the start of a file that tell its kind. */
export const MAGIC_BYTES = Math.max(...KINDS.map(({ magic }) => magic.length));

/** @returns the rest of the sentence that begins with the name of the file; undefined for a file that may be read */
export function otherKindOf(start: Uint8Array, name: string): string | undefined {
  const kind =
    KINDS.find(({ magic }) => magic.every((byte, index) => start[index] === byte)) ??
    zip(start, name) ??
    bzip2(start) ??
    withoutMark(start);
  return kind === undefined ? undefined : `${kind.is}: ${kind.advice.replaceAll("FILE", name)}`;
}

/** Workbooks are zip archives of XML. */
function zip(start: Uint8Array, name: string): OtherKind | undefined {
  if (!ZIP_MAGIC.every((byte, index) => start[index] === byte)) return undefined;
  const isExcel = /\.xls[xmb]$/i.test(name) || WORKBOOK_ENTRY.test(textOf(start));
  if (!isExcel) {
    return { is: "is a zip archive", advice: `${READ}: unzip -p FILE > FILE.jsonl`, magic: [] };
  }
  const convert = `duckdb -c "INSTALL excel; LOAD excel; COPY (FROM read_xlsx('FILE')) TO 'FILE.csv'"`;
  return {
    is: "is an Excel workbook",
    advice: `CSV with a header is read: save the sheet as CSV UTF-8, or ${convert}`,
    magic: [],
  };
}

/** The first entry of a workbook, after the 30 bytes of a zip archive's local header. */
const WORKBOOK_ENTRY = /^.{30}(\[Content_Types\]\.xml|xl\/)/s;
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];

function textOf(start: Uint8Array): string {
  return Buffer.from(start.subarray(0, 64)).toString("latin1");
}

/** Its fourth byte is a digit: texts begin with `BZh` too. */
function bzip2(start: Uint8Array): OtherKind | undefined {
  const [b, z, h, level = 0] = start;
  const is = b === 0x42 && z === 0x5a && h === 0x68 && level >= 0x31 && level <= 0x39;
  return is ? compressed("bzip2") : undefined;
}

/** ASCII in two bytes per character, or four: no text in UTF-8 has such zeros. */
function withoutMark(start: Uint8Array): OtherKind | undefined {
  if (start.length < 8) return undefined;
  const zeros = [...start.subarray(0, 8)].map((byte) => (byte === 0 ? "0" : "1")).join("");
  if (zeros === "10101010") return encoded("UTF-16LE");
  if (zeros === "01010101") return encoded("UTF-16BE");
  if (zeros === "10001000") return encoded("UTF-32LE");
  if (zeros === "00010001") return encoded("UTF-32BE");
  return undefined;
}
