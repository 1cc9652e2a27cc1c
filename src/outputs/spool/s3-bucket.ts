import { setTimeout as sleep } from "node:timers/promises";
import { ReadableStream } from "node:stream/web";
import type { S3Client } from "@bradenmacdonald/s3-lite-client";
import { describeError, RankmillError } from "../../core/errors.js";
import { ownLines } from "../../inputs/read/lines.js";
import { option, wording } from "../../core/wording.js";
import { waitAtMost } from "../../platform/wait-at-most.js";

/** The address of a bucket, and the credentials for it. */
export interface S3Place {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Prefix of all keys: empty, or ending in a slash. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export interface S3Entry {
  /** The name without the place's prefix. */
  readonly key: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly storedAtMs: number;
}

/** S3 takes 10,000 parts of at least 5 MiB: objects of up to 80 GB, four parts in memory at once. */
const PART_BYTES = 8_388_608;
/** Fetched in one request: a connection that is read slowly for hours would be closed. */
const RANGE_BYTES = 8_388_608;
const MAX_ATTEMPTS = 6;
const FIRST_DELAY_MS = 200;
/** A part of 8 MiB within this is 70 KB/s; slower than that, nothing is gained by waiting. */
const REQUEST_TIMEOUT_MS = 120_000;

/** Objects of lines in an S3-compatible bucket. Every request is repeated if that can help. */
export class S3Bucket {
  /** A name for people, without credentials. */
  readonly name: string;
  readonly #client: S3Client;
  readonly #prefix: string;

  private constructor(name: string, client: S3Client, prefix: string) {
    this.name = name;
    this.#client = client;
    this.#prefix = prefix;
  }

  /** @throws RankmillError `missing_dependency` if the client's package is not installed */
  static async open(place: S3Place): Promise<S3Bucket> {
    const name = `s3://${place.bucket}/${place.prefix}`;
    const library = await import("@bradenmacdonald/s3-lite-client").catch((error: unknown) => {
      throw new RankmillError(
        "missing_dependency",
        "a spool in a bucket needs the package @bradenmacdonald/s3-lite-client: install it without --omit=optional",
        { cause: error },
      );
    });
    class PatientClient extends library.S3Client {
      override async makeRequest(
        request: Parameters<S3Client["makeRequest"]>[0],
      ): Promise<Response> {
        return await repeated(name, async () => {
          // Signing adds to them; each attempt is signed for itself.
          const headers = new Headers(request.headers);
          return await inTime(super.makeRequest({ ...request, headers }));
        });
      }
    }
    try {
      const client = new PatientClient({
        endPoint: place.endpoint,
        region: place.region,
        bucket: place.bucket,
        accessKey: place.accessKeyId,
        secretKey: place.secretAccessKey,
        ...(place.sessionToken === undefined ? {} : { sessionToken: place.sessionToken }),
      });
      return new S3Bucket(name, client, place.prefix);
    } catch (error) {
      throw new RankmillError(
        "place_unusable",
        wording`${option("spool")} ${name}: ${describeError(error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Objects whose keys begin with `start`. */
  async list(start: string, most?: number): Promise<S3Entry[]> {
    const found: S3Entry[] = [];
    const options = {
      prefix: this.#prefix + start,
      ...(most === undefined ? {} : { maxResults: most }),
    };
    for await (const { key, size, lastModified } of this.#client.listObjects(options)) {
      const storedAtMs = lastModified.getTime();
      found.push({ key: key.slice(this.#prefix.length), bytes: size, storedAtMs });
    }
    return found;
  }

  /** @returns undefined if there is no such object */
  async find(key: string): Promise<S3Entry | undefined> {
    // A key comes first among those that it begins.
    const [first] = await this.list(key, 1);
    return first?.key === key ? first : undefined;
  }

  lines(entry: S3Entry): AsyncIterable<string> {
    return ownLines(this.bytes(entry));
  }

  bytes({ key, bytes }: S3Entry): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#ranges(key, bytes);
  }

  /** The object as text, of one byte per character. */
  async *text(entry: S3Entry): AsyncGenerator<string, void, undefined> {
    for await (const range of this.bytes(entry)) yield Buffer.from(range).toString("latin1");
  }

  async put(key: string, text: string): Promise<void> {
    await this.#client.putObject(this.#prefix + key, new TextEncoder().encode(text));
  }

  /** The object is there once all of it is. Memory: a few parts, however long it is. */
  async putLines(key: string, lines: AsyncIterable<string>): Promise<void> {
    await this.putBytes(key, encoded(lines));
  }

  /** As {@link putLines}. */
  async putBytes(key: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = ReadableStream.from(chunks);
    await this.#client.putObject(this.#prefix + key, stream, { partSize: PART_BYTES });
  }

  async remove(key: string): Promise<void> {
    await this.#client.deleteObject(this.#prefix + key);
  }

  async *#ranges(key: string, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let offset = 0; offset < bytes; offset += RANGE_BYTES) {
      const length = Math.min(RANGE_BYTES, bytes - offset);
      // The answer's body comes after the answer, and can break off by itself.
      yield await repeated(this.name, async () => {
        const part = await this.#client.getPartialObject(this.#prefix + key, { offset, length });
        return new Uint8Array(await inTime(part.arrayBuffer()));
      });
    }
  }
}

/** Lines as pieces of about a megabyte: a stream of single lines would be slow. */
async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < 1_048_576) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

/** @throws RankmillError `place_unusable` if asking again cannot help, `spool_unavailable` if it did not */
async function repeated<T>(name: string, act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof RankmillError) throw error;
      const { code, statusCode } = error as { code?: string; statusCode?: number };
      const { message } = describeError(error);
      const said = `the spool ${name}: ${code === undefined ? "" : `${code}: `}${message}${causeOf(error)}`;
      if (statusCode !== undefined && statusCode < 500 && ![408, 409, 429].includes(statusCode)) {
        throw new RankmillError("place_unusable", said, { cause: error });
      }
      if (attempt === MAX_ATTEMPTS) {
        throw new RankmillError("spool_unavailable", said, { cause: error });
      }
      await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}

/** `fetch failed` alone tells nobody anything. */
function causeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const text = cause?.code ?? cause?.message;
  return text === undefined ? "" : ` (${text})`;
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  const waited = await waitAtMost(promise, REQUEST_TIMEOUT_MS);
  if (waited.status === "settled") return waited.value;
  throw new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`);
}
