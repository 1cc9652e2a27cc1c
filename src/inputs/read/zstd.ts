import { Decompress, ZstdErrorCode } from "fzstd";
import { ZstdError } from "./zstd-error.js";
import { ZstdFrames } from "./zstd-frames.js";

/**
 * The decoder calls back and cannot be paused: fed in small pieces it can hold up no more than this
 * piece expands to (32 times for text; 128 MiB for a file made to be hostile).
 */
const FEED_BYTES = 4096;

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
  const frames = new ZstdFrames();
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; start += FEED_BYTES) {
      // A copy: the decoder keeps what it cannot use yet.
      const piece = chunk.slice(start, start + FEED_BYTES);
      frames.check(piece);
      push(decoder, piece, false);
      yield* ready;
      ready = [];
    }
  }
  frames.end();
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
