import { Decompress, ZstdErrorCode } from "fzstd";

/**
 * The largest window that is accepted, in bytes: what `zstd -d` itself accepts without being told.
 * The decoder holds one window.
 */
const MAX_WINDOW_BYTES = 2 ** 27;
/**
 * The decoder calls back and cannot be paused: fed in small pieces it can hold up no more than this
 * piece expands to (32 times for text; 128 MiB for a file made to be hostile).
 */
const FEED_BYTES = 4096;

const FRAME_MAGIC = 0xfd2fb528;
const SINGLE_SEGMENT = 0x20;

/** The reason why zstd data could not be read. */
export class ZstdError extends Error {
  readonly reason: "cut_short" | "corrupt" | "window_too_large";

  constructor(reason: ZstdError["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ZstdError";
    this.reason = reason;
  }
}

/**
 * Decompresses zstd: any number of frames one after another, skippable ones among them, as
 * `cat a.zst b.zst`, `pzstd` and seekable files have them.
 *
 * Plain JavaScript on every Node: `node:zlib` knows zstd from 22.15 only, and there (seen in
 * 24.21) ends at the first frame without an error, losing the rest of the file. Frame checksums are
 * not verified; a file cut short is always noticed. Some 100 MB/s of text.
 */
export async function* decompressZstd(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((bytes) => {
    if (bytes.length > 0) ready.push(bytes);
  });
  let first = true;
  for await (const chunk of source) {
    if (first) checkWindow(chunk);
    first = false;
    for (let start = 0; start < chunk.length; start += FEED_BYTES) {
      // A copy: the decoder keeps what it cannot use yet.
      push(decoder, chunk.slice(start, start + FEED_BYTES), false);
      yield* ready;
      ready = [];
    }
  }
  push(decoder, new Uint8Array(0), true);
  yield* ready;
}

function push(decoder: Decompress, bytes: Uint8Array, final: boolean): void {
  try {
    decoder.push(bytes, final);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === ZstdErrorCode.UnexpectedEOF) {
      throw new ZstdError("cut_short", "unexpected end of zstd data", error);
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new ZstdError("corrupt", message, error);
  }
}

/** @param start the first bytes of the data, at least six for a frame to be looked at */
function checkWindow(start: Uint8Array): void {
  if (start.length < 6) return;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (view.getUint32(0, true) !== FRAME_MAGIC) return;
  if ((view.getUint8(4) & SINGLE_SEGMENT) !== 0) return;
  // RFC 8878, 3.1.1.1.2: exponent in the upper five bits, mantissa in the lower three.
  const descriptor = view.getUint8(5);
  const base = 2 ** (10 + (descriptor >> 3));
  const windowBytes = base + (base / 8) * (descriptor & 7);
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw new ZstdError(
      "window_too_large",
      `the zstd window has ${windowBytes} bytes, over the limit of ${MAX_WINDOW_BYTES}: ` +
        `compress with --long=27 or less`,
    );
  }
}
