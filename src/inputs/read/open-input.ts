import { constants, createReadStream, openSync, type Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { describeError, RankmillError } from "../../core/errors.js";
import { wording, type OptionMention } from "../../core/wording.js";
import { MAGIC_BYTES, otherKindOf } from "./other-kinds.js";
import { ZstdError } from "./zstd-error.js";
import { decompressZstd } from "./zstd.js";

/** Read at once from a file: fewer wake-ups of the event loop than the default of 64 KiB. */
const READ_BYTES = 256 * 1024;

const STDIN = "standard input";

export type Compression = "none" | "gzip" | "zstd";

export interface OpenedInput {
  /** A name for messages: the path, or "standard input". */
  readonly name: string;
  readonly compression: Compression;
  /** The bytes, decompressed. Throws a RankmillError `input_unusable` that names the input if it is cut short. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes of the file as it lies on disk; undefined for what is not a regular file. */
  readonly sizeBytes: number | undefined;
  /** Bytes read so far as they lie on disk, to be held against `sizeBytes`. */
  bytesRead(): number;
  /** Stops reading early. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens a file, or `-` for standard input, and undoes gzip or zstd, told by the first bytes and
 * never by the name. Data that ends early is an error after the lines before it were read, never a
 * silent end.
 *
 * @throws RankmillError `input_unusable` if there is no such file, or it is a folder or otherwise compressed
 */
export async function openInput(
  path: string,
  options: { readonly stdin?: AsyncIterable<Uint8Array | string> } = {},
): Promise<OpenedInput> {
  const name = path === "-" ? STDIN : path;
  const { stream, sizeBytes } = await openRaw(path, name, options.stdin);
  const raw = stream[Symbol.asyncIterator]();
  let bytesRead = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await raw.next();
    if (done === true) return undefined;
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    bytesRead += bytes.length;
    return bytes;
  };

  try {
    let start: Uint8Array = Buffer.alloc(0);
    while (start.length < MAGIC_BYTES) {
      const bytes = await next();
      if (bytes === undefined) break;
      start = Buffer.concat([start, bytes]);
    }
    const compression = compressionOf(start, name);
    const rest = async function* () {
      if (start.length > 0) yield start;
      for (let bytes = await next(); bytes !== undefined; bytes = await next()) yield bytes;
      if (bytesRead < (sizeBytes ?? 0)) throw shrunk(name, sizeBytes, bytesRead);
    };
    return {
      name,
      compression,
      chunks: named(decompress(rest(), compression), name),
      sizeBytes,
      bytesRead: () => bytesRead,
      close: async () => {
        if (stream instanceof Readable) stream.destroy();
        else await raw.return?.();
      },
    };
  } catch (error) {
    if (stream instanceof Readable) stream.destroy();
    throw unreadable(error, name);
  }
}

async function openRaw(
  path: string,
  name: string,
  stdin: AsyncIterable<Uint8Array | string> | undefined,
): Promise<{ stream: AsyncIterable<Uint8Array | string>; sizeBytes: number | undefined }> {
  if (path === "-") {
    if (stdin === undefined) {
      throw new RankmillError("input_unusable", "standard input cannot be read here: give a file");
    }
    return { stream: stdin, sizeBytes: undefined };
  }
  try {
    const stats = await stat(path);
    if (await isDevice(path, stats)) {
      throw new RankmillError("input_unusable", `${name} is a device, not a file`);
    }
    if (stats.isDirectory())
      throw new RankmillError("input_unusable", `${name} is a folder, not a file`);
    if (stats.isFIFO()) return { stream: openPipe(path), sizeBytes: undefined };
    const sizeBytes = stats.isFile() ? stats.size : undefined;
    return { stream: createReadStream(path, { highWaterMark: READ_BYTES }), sizeBytes };
  } catch (error) {
    throw unreadable(error, name);
  }
}

/**
 * Opens a pipe without waiting for its writer. As a file it would be read by a thread that waits for as long as the
 * writer says nothing, and a process ends no sooner than its threads.
 */
function openPipe(path: string): Readable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** Devices that end: a terminal, in which somebody types, and nothing at all. */
const READABLE_DEVICE = /^\/dev\/(null|tty|console|pts\/\d+)$/;

async function isDevice(path: string, stats: Stats): Promise<boolean> {
  if (stats.isBlockDevice()) return true;
  if (!stats.isCharacterDevice()) return false;
  return !READABLE_DEVICE.test(await realpath(path));
}

/**
 * Refuses a pipe if a file is read more than once: the second reader would get the rest.
 *
 * @param mention the option that names it
 * @throws RankmillError `input_unusable`
 */
export async function requireReadableAgain(path: string, mention?: OptionMention): Promise<void> {
  const stats = path === "-" ? undefined : await stat(path).catch(() => undefined);
  // A file that is not there has its own error when it is opened.
  if (path !== "-" && (stats === undefined || stats.isFile())) return;
  const kind = stats?.isDirectory() === true ? "a folder" : "a pipe";
  throw new RankmillError(
    "input_unusable",
    wording`${mention === undefined ? "" : wording`${mention} `}${path}: is ${kind}, and is read more than once: give a file`,
  );
}

/** @throws RankmillError `input_unusable` for a kind of file that is known and not read */
function compressionOf(start: Uint8Array, name: string): Compression {
  const startsWith = (...magic: number[]) => magic.every((byte, index) => start[index] === byte);
  if (startsWith(0x1f, 0x8b)) return "gzip";
  if (startsWith(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  // A skippable frame, as pzstd puts it first: 0x184D2A50 to 0x184D2A5F.
  if (((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d) {
    if (start[3] === 0x18) return "zstd";
  }
  const other = otherKindOf(start, name === STDIN ? "FILE" : name);
  if (other !== undefined) throw new RankmillError("input_unusable", `${name} ${other}`);
  // Shorter than the shortest magic: no compressed file, however small, is.
  if (start.length < 4 && /\.(gz|zst)$/i.test(name)) throw cutShort(name);
  return "none";
}

function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  if (compression === "none") return source;
  if (compression === "zstd") return decompressZstd(source);
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  // An error of either side destroys both and is thrown to whoever reads `gunzip`.
  pipeline(source, gunzip, () => undefined);
  // It may come before anybody reads, or after: then nobody awaits it, and it must not be thrown.
  gunzip.on("error", () => undefined);
  return gunzip as AsyncIterable<Uint8Array>;
}

async function* named(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    throw unreadable(error, name);
  }
}

function unreadable(error: unknown, name: string): RankmillError {
  if (error instanceof RankmillError) return error;
  const code = (error as { code?: unknown }).code;
  if (code === "Z_BUF_ERROR" || (error instanceof ZstdError && error.reason === "cut_short")) {
    return cutShort(name, error);
  }
  if (code === "ENOENT") {
    const why = name.includes("\ufffd") ? "; names of files must be UTF-8" : "";
    return new RankmillError("input_unusable", `${name}: no such file${why}`, { cause: error });
  }
  const { message } = describeError(error);
  return new RankmillError("input_unusable", `${name} cannot be read: ${message}`, {
    cause: error,
  });
}

/** What somebody else has cut off while it was read would be missing in silence. */
function shrunk(name: string, before = 0, now: number): RankmillError {
  return new RankmillError(
    "input_unusable",
    `${name} became shorter while it was read: it had ${before} bytes, and ended after ${now}. Run again once nobody writes to it`,
  );
}

function cutShort(name: string, cause?: unknown): RankmillError {
  return new RankmillError(
    "input_unusable",
    `${name} is cut short: its compressed data ends in the middle. What came before was read; fetch the file again`,
    { cause },
  );
}
