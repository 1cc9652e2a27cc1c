import type { UploadStore } from "../../core/ports/upload-store.js";
import type { S3Bucket } from "../spool/s3-bucket.js";
import { checkUploadId, uploadGone } from "./upload-id.js";

/** No run can have this name, since it begins with a dot. */
const FOLDER = ".uploads/";

/** Uploads in the bucket of a spool, under keys of their own. */
export class S3Uploads implements UploadStore {
  readonly name: string;
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
    this.name = `${bucket.name}${FOLDER}`;
  }

  async put(id: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    await this.#bucket.putBytes(keyOf(id), counted());
    return bytes;
  }

  async *read(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const entry = await this.#bucket.find(keyOf(id));
    if (entry === undefined) throw uploadGone(id);
    yield* this.#bucket.bytes(entry);
  }

  async remove(id: string): Promise<void> {
    await this.#bucket.remove(keyOf(id));
  }

  async sweep(storedBeforeMs: number): Promise<number> {
    let removed = 0;
    for (const { key, storedAtMs } of await this.#bucket.list(FOLDER)) {
      if (storedAtMs >= storedBeforeMs) continue;
      await this.#bucket.remove(key);
      removed += 1;
    }
    return removed;
  }
}

function keyOf(id: string): string {
  return `${FOLDER}${checkUploadId(id)}`;
}
