/**
 * A compiled tokenizer in a file: a line of JSON that says what follows, its parts one after the
 * other in this machine's byte order, and the SHA-256 of all before. Reading it takes some ten
 * milliseconds, while reading `tokenizer.json` takes a second and several hundred megabytes.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { PairTemplate } from "../../../core/pair-assembly.js";
import type { CompiledUnigram } from "./unigram-spec.js";
import { describeError } from "../../../core/errors.js";
import { DOES_NOT_FIT } from "../../../platform/checksummed-json.js";
import { errnoOf } from "../../../platform/file-system-errors.js";
import { makeFolder } from "../../../platform/files.js";

/** Bumped with the file's layout, and with what the compiler or the encoder make of a tokenizer. */
const FORMAT = 1;
const NAME_DIGITS = 32;
const HASH_BYTES = 32;
/** Every part begins at a multiple of it, so that arrays can lie over the file's bytes. */
const ALIGNMENT = 8;
const HEADER_END = 0x0a;
/** No header is longer: what has no end of line before is another file. */
const MAX_HEADER_BYTES = 65_536;

const template = z.object({
  prefix: z.array(z.int()),
  middle: z.array(z.int()),
  suffix: z.array(z.int()),
  segmentTypeIds: z.boolean(),
  padId: z.int().nonnegative(),
});
const settings = z.object({
  collapseSpaces: z.boolean(),
  splitAtWhitespace: z.boolean(),
  unkId: z.int().nonnegative(),
  unkScore: z.number(),
  maxPieceBytes: z.int().positive(),
});
const headerSchema = z.object({
  rankmill: z.literal("compiled tokenizer"),
  format: z.literal(FORMAT),
  endianness: z.literal(endianness()),
  /** Digest of the files that it was made of. */
  source: z.string(),
  template,
  settings,
  /** Length of each part, in the file's order. */
  bytes: z.object({
    scores: z.int(),
    pieces: z.int(),
    charsmap: z.int(),
    texts: z.int(),
  }),
});
type Header = z.infer<typeof headerSchema>;
const isOwnFormat = headerSchema.pick({ rankmill: true, format: true, endianness: true });

export interface CompiledTokenizer {
  readonly unigram: CompiledUnigram;
  readonly template: PairTemplate;
}

/** Path of the tokenizer made of files with this digest, in the folder of compiled ones. */
export function compiledPath(dir: string, source: string): string {
  return join(dir, `tokenizer-${source.slice(0, NAME_DIGITS)}.bin`);
}

/**
 * @param onDamaged told in one line why what is there is not believed
 * @returns undefined if it is absent, damaged, or was made of other files or in another format
 */
export async function readCompiled(
  dir: string,
  source: string,
  onDamaged?: (problem: string) => void,
): Promise<CompiledTokenizer | undefined> {
  const path = compiledPath(dir, source);
  try {
    return decode(await readFile(path), source);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || error instanceof OtherFormat) return undefined;
    const why =
      error instanceof z.ZodError ? "its header is not one" : describeError(error).message;
    onDamaged?.(`the compiled tokenizer ${path} is damaged (${why}): it is compiled again`);
    return undefined;
  }
}

/** A file of another version, or of another kind of machine, which is no damage. */
class OtherFormat extends Error {}

/**
 * Written whole or not at all; of two that write the same, either's stays.
 *
 * @throws what the file system refuses
 */
export async function writeCompiled(
  dir: string,
  source: string,
  compiled: CompiledTokenizer,
): Promise<void> {
  await makeFolder(dir);
  const path = compiledPath(dir, source);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o644);
    try {
      for (const part of encode(compiled, source)) await handle.write(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

function encode({ unigram, template: pair }: CompiledTokenizer, source: string): Uint8Array[] {
  const { scores, pieces, charsmap, texts } = unigram;
  const parts = [scores, pieces, charsmap, texts];
  const header: Header = {
    rankmill: "compiled tokenizer",
    format: FORMAT,
    endianness: endianness(),
    source,
    template: {
      ...pair,
      prefix: [...pair.prefix],
      middle: [...pair.middle],
      suffix: [...pair.suffix],
    },
    settings: unigram.settings,
    bytes: {
      scores: scores.byteLength,
      pieces: pieces.byteLength,
      charsmap: charsmap.byteLength,
      texts: texts.byteLength,
    },
  };
  const line = JSON.stringify(header);
  const length = aligned(Buffer.byteLength(line) + 1);
  const chunks: Uint8Array[] = [
    Buffer.from(`${line.padEnd(line.length + length - Buffer.byteLength(line) - 1)}\n`),
  ];
  for (const part of parts) {
    chunks.push(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    chunks.push(new Uint8Array(aligned(part.byteLength) - part.byteLength));
  }
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return [...chunks, hash.digest()];
}

/** @throws if anything about it is not as it was written */
function decode(file: Buffer<ArrayBuffer>, source: string): CompiledTokenizer {
  const end = file.length - HASH_BYTES;
  const hash = createHash("sha256").update(file.subarray(0, Math.max(0, end)));
  if (end < 0 || !hash.digest().equals(file.subarray(end))) throw new Error(DOES_NOT_FIT);
  const headerEnd = file.subarray(0, MAX_HEADER_BYTES).indexOf(HEADER_END) + 1;
  const value: unknown = JSON.parse(file.toString("utf8", 0, headerEnd));
  if (!isOwnFormat.safeParse(value).success) throw new OtherFormat();
  const header = headerSchema.parse(value);
  const { bytes } = header;
  const sizes = [bytes.scores, bytes.pieces, bytes.charsmap, bytes.texts];
  const whole = sizes.reduce((sum, size) => sum + aligned(size), headerEnd) === end;
  if (!whole || file.byteOffset % ALIGNMENT !== 0) throw new Error("its parts do not fit");
  if (header.source !== source) throw new Error("it was made of other files");
  let at = file.byteOffset + headerEnd;
  const [scores = 0, pieces = 0, charsmap = 0, texts = 0] = sizes.map((size) => {
    const start = at;
    at += aligned(size);
    return start;
  });
  const { buffer } = file;
  return {
    template: header.template,
    unigram: {
      settings: header.settings,
      scores: new Float64Array(buffer, scores, bytes.scores / Float64Array.BYTES_PER_ELEMENT),
      pieces: new Uint32Array(buffer, pieces, bytes.pieces / Uint32Array.BYTES_PER_ELEMENT),
      charsmap: new Uint32Array(buffer, charsmap, bytes.charsmap / Uint32Array.BYTES_PER_ELEMENT),
      texts: new Uint8Array(buffer, texts, bytes.texts),
    },
  };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
