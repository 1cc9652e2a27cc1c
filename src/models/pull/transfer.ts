import { constants, createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RankmillError } from "../../core/errors.js";
import type { Wording } from "../../core/wording.js";
import { ContentHash } from "../../platform/content-hash.js";
import type { ContentHashes } from "../../platform/content-hash.js";
import { asWriteError, type WritePlace } from "../../platform/file-system-errors.js";
import { networkReason, TransientHubError } from "./hub-client.js";
import { sizeOf, whyWrong } from "./pulled-file.js";
import type { WantedFile } from "./pull-plan.js";

/** Attempts in a row that brought not one byte before a transfer is given up. */
const FRUITLESS_ATTEMPTS = 6;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** A connection that is open but silent for this long is taken for dead. */
const SILENCE_MS = 60_000;

/** One file on a server. */
export interface TransferSource {
  /**
   * Opens it at `offset`; the caller reads or cancels the body.
   *
   * @returns a response with status 200 (from the start), 206 or 416
   * @throws TransientHubError if another attempt may help
   */
  open(offset: number, signal: AbortSignal): Promise<Response>;
  /** One line, with what to do, if it cannot be had: the network's reason and how far it came. */
  givenUp(reason: string, bytes: number): string | Wording;
  /** One line, with what to do, if another file came than the pinned one. */
  refused(reason: string): string | Wording;
}

export interface TransferTarget {
  readonly source: TransferSource;
  /** Size of the whole file, if it is known: git's blob id begins with it. */
  readonly bytes: number | undefined;
  /** File that takes the bytes; a part that is there already is kept and continued. */
  readonly partialPath: string;
  readonly place?: WritePlace | undefined;
}

export interface TransferOptions {
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytesSoFar: number, totalBytes: number | undefined) => void;
  /** First delay between attempts; each further one doubles. Default 500. */
  readonly firstDelayMs?: number | undefined;
}

/**
 * Brings one file into `partialPath`, going on from what is there, through broken
 * connections, holding one network chunk at a time. The file is on disk (fsync) when this returns.
 *
 * @throws RankmillError `download_failed` with what to do; the partial file stays for the next time
 */
async function transfer(target: TransferTarget, options: TransferOptions): Promise<ContentHashes> {
  let handle: FileHandle;
  try {
    // Without "a": a server that ignores ranges makes us start again at byte 0.
    handle = await open(target.partialPath, constants.O_RDWR | constants.O_CREAT, 0o644);
  } catch (error) {
    throw asWriteError(error, target.partialPath, target.bytes, target.place);
  }
  try {
    const state = await resume(target);
    await new Transfer(target, options, handle, state).run();
    await handle.sync();
    return state.result();
  } catch (error) {
    throw asWriteError(error, target.partialPath, target.bytes, target.place);
  } finally {
    await handle.close();
  }
}

/**
 * Transfers a file and holds it against what is known of it. A mismatch after a resumed transfer may
 * be the leftover's fault: then once more from byte 0. Nothing of a wrong file stays.
 *
 * @throws RankmillError `download_failed`
 */
export async function transferVerified(
  target: TransferTarget,
  wanted: WantedFile,
  options: TransferOptions,
): Promise<ContentHashes> {
  let leftover = await sizeOf(target.partialPath);
  for (;;) {
    const result = await transfer(target, options);
    const wrong = whyWrong(wanted, result);
    if (wrong === undefined) return result;
    await rm(target.partialPath, { force: true });
    if (leftover === 0) throw new RankmillError("download_failed", target.source.refused(wrong));
    leftover = 0;
  }
}

/** Takes what is on disk already; more than the whole file is not a part of it. */
async function resume(target: TransferTarget): Promise<ContentHash> {
  const state = new ContentHash(target.bytes);
  for await (const chunk of createReadStream(target.partialPath)) state.take(chunk as Buffer);
  if (target.bytes !== undefined && state.bytes > target.bytes) state.restart();
  return state;
}

class Transfer {
  readonly #target: TransferTarget;
  readonly #options: TransferOptions;
  readonly #handle: FileHandle;
  /** Bytes on disk and the hashes over exactly these bytes: the two never part. */
  readonly #state: ContentHash;

  constructor(
    target: TransferTarget,
    options: TransferOptions,
    handle: FileHandle,
    state: ContentHash,
  ) {
    this.#target = target;
    this.#options = options;
    this.#handle = handle;
    this.#state = state;
  }

  async run(): Promise<void> {
    let fruitless = 0;
    for (;;) {
      if (this.#target.bytes !== undefined && this.#state.bytes === this.#target.bytes) break;
      const before = this.#state.bytes;
      try {
        if (await this.#attempt()) break;
      } catch (error) {
        if (!(error instanceof TransientHubError)) throw error;
        fruitless = this.#state.bytes > before ? 1 : fruitless + 1;
        if (fruitless >= FRUITLESS_ATTEMPTS) throw this.#givenUp(error);
        await this.#pause(fruitless, error);
      }
    }
    await this.#handle.truncate(this.#state.bytes);
  }

  /** @returns true if the file is complete */
  async #attempt(): Promise<boolean> {
    const { signal } = this.#options;
    const silence = new AbortController();
    const both = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    const timer = setTimeout(() => {
      silence.abort();
    }, SILENCE_MS);
    try {
      const response = await this.#target.source.open(this.#state.bytes, both);
      return await this.#receive(response, timer);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      if (silence.signal.aborted) {
        throw new TransientHubError(`nothing came for ${SILENCE_MS / 1_000} s`, { cause: error });
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #receive(response: Response, timer: NodeJS.Timeout): Promise<boolean> {
    const state = this.#state;
    if (response.status === 416) {
      await response.body?.cancel();
      // Asked for what comes after the last byte: the file is whole, or was never this file.
      if (response.headers.get("content-range") === `bytes */${state.bytes}`) return true;
      state.restart();
      return false;
    }
    if (!continuesAt(response, state.bytes)) state.restart();
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = Number.isFinite(length) ? state.bytes + length : undefined;
    this.#report(total);
    for await (const chunk of bodyOf(response)) {
      timer.refresh();
      await this.#write(chunk);
      this.#report(total);
    }
    const whole = total ?? this.#target.bytes;
    if (whole !== undefined && state.bytes < whole) {
      throw new TransientHubError(`it broke off at byte ${state.bytes} of ${whole}`, {});
    }
    return true;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const result = await this.#handle.write(
        chunk,
        written,
        chunk.length - written,
        this.#state.bytes + written,
      );
      written += result.bytesWritten;
    }
    this.#state.take(chunk);
  }

  #report(total: number | undefined): void {
    this.#options.onBytes(this.#state.bytes, total ?? this.#target.bytes);
  }

  async #pause(fruitless: number, error: TransientHubError): Promise<void> {
    const first = this.#options.firstDelayMs ?? FIRST_DELAY_MS;
    const ceiling = Math.min(MAX_DELAY_MS, first * 2 ** (fruitless - 1));
    const delayMs = Math.min(
      MAX_DELAY_MS,
      error.retryAfterMs ?? ceiling * (0.5 + Math.random() / 2),
    );
    await sleep(delayMs, undefined, { signal: this.#options.signal });
  }

  #givenUp(error: TransientHubError): RankmillError {
    const message = this.#target.source.givenUp(error.message, this.#state.bytes);
    return new RankmillError("download_failed", message, { cause: error });
  }
}

function continuesAt(response: Response, offset: number): boolean {
  if (response.status !== 206) return offset === 0;
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (start !== undefined && Number(start) === offset) return true;
  throw new TransientHubError(`the server sent another part than the one asked for`, {});
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) yield chunk;
  } catch (error) {
    throw new TransientHubError(`the connection broke (${networkReason(error)})`, {
      cause: error,
    });
  }
}
