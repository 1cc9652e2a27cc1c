import { randomBytes } from "node:crypto";
import type { Caller } from "../../core/caller.js";
import { RankmillError } from "../../core/errors.js";
import type { UploadStore } from "../../core/ports/upload-store.js";
import type { FileIndex, StoredFile } from "../../redis/file-index.js";
import { boundBytes } from "./bound-records.js";

const ID_BYTES = 12;

/** The bounds of uploads. */
export interface UploadBounds {
  /** Of one file. */
  readonly maxUploadBytes: number;
  /** Of all files of a key together. */
  readonly uploadQuotaBytes: number;
  /** The time for which a file is kept. */
  readonly uploadTtlSeconds: number;
}

/** A file on its way in. */
export interface Upload {
  readonly filename: string;
  /** Asked once all bytes are read: a form may name it behind the file. */
  readonly purpose: () => Promise<string>;
  /** The bytes that its sender announces, if they do. */
  readonly announcedBytes: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A file that can be read. */
export interface OpenFile {
  readonly filename: string;
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** The files that callers upload: each sees their own and no others. */
export class OwnedFiles {
  readonly #index: FileIndex;
  readonly #openStore: (() => Promise<UploadStore>) | undefined;
  readonly #bounds: UploadBounds;

  /** @param openStore undefined: there is no spool */
  constructor(
    index: FileIndex,
    openStore: (() => Promise<UploadStore>) | undefined,
    bounds: UploadBounds,
  ) {
    this.#index = index;
    this.#openStore = openStore;
    this.#bounds = bounds;
  }

  /**
   * Stores an upload. One that breaks off leaves nothing behind.
   *
   * @throws RankmillError `limit_exceeded` for a file that is too large, or too much beside the others
   */
  async add({ keyId }: Caller, upload: Upload): Promise<StoredFile> {
    const store = await this.#store();
    const { maxUploadBytes, uploadTtlSeconds } = this.#bounds;
    const id = `file-${randomBytes(ID_BYTES).toString("hex")}`;
    const announced = Math.min(upload.announcedBytes ?? maxUploadBytes, maxUploadBytes);
    await this.#reserve(keyId, id, announced);
    try {
      const bytes = await store.put(id, boundBytes(upload.chunks, maxUploadBytes));
      const purpose = await upload.purpose();
      const createdAtMs = Date.now();
      const { filename } = upload;
      const expiresAtMs = createdAtMs + uploadTtlSeconds * 1_000;
      const file = { id, filename, purpose, bytes, createdAtMs, expiresAtMs };
      await this.#index.put(keyId, file);
      return file;
    } catch (error) {
      await store.remove(id).catch(() => {});
      await this.#index.remove(keyId, id).catch(() => {});
      throw error;
    }
  }

  /** @throws RankmillError `not_found`, also for a file of another's */
  async find({ keyId }: Caller, id: string): Promise<StoredFile> {
    await this.#store();
    const file = await this.#index.find(keyId, id);
    if (file !== undefined) return file;
    throw new RankmillError("not_found", `there is no file ${JSON.stringify(id.slice(0, 200))}`);
  }

  /** @throws RankmillError `not_found` */
  async open(caller: Caller, id: string): Promise<OpenFile> {
    const { filename } = await this.find(caller, id);
    return { filename, chunks: (await this.#store()).read(id) };
  }

  async list({ keyId }: Caller): Promise<StoredFile[]> {
    await this.#store();
    return await this.#index.list(keyId);
  }

  /** @throws RankmillError `not_found` */
  async remove(caller: Caller, id: string): Promise<void> {
    await this.find(caller, id);
    await (await this.#store()).remove(id);
    await this.#index.remove(caller.keyId, id);
  }

  /** @throws RankmillError `missing_dependency` if there is no spool, and what to set */
  async check(): Promise<void> {
    await this.#store();
  }

  /** Removes files whose time is over, whoever has forgotten them. */
  async sweep(): Promise<void> {
    if (this.#openStore === undefined) return;
    const store = await this.#openStore();
    await store.sweep(Date.now() - this.#bounds.uploadTtlSeconds * 1_000);
  }

  async #reserve(keyId: string, id: string, bytes: number): Promise<void> {
    const max = this.#bounds.uploadQuotaBytes;
    const reserved = await this.#index.reserve(keyId, id, bytes, max);
    if (reserved.status === "reserved") return;
    if (reserved.status === "too-many") {
      const message = `the key has ${reserved.most} files, and may have no more: delete some`;
      throw new RankmillError("limit_exceeded", message);
    }
    const value = reserved.takenBytes + bytes;
    const limit = { name: "uploadQuotaBytes", value, max, unit: "bytes" };
    const message = `the key's files would have ${value} bytes, over its quota of ${max}: delete some`;
    throw new RankmillError("limit_exceeded", message, { limit });
  }

  async #store(): Promise<UploadStore> {
    if (this.#openStore !== undefined) return await this.#openStore();
    throw new RankmillError(
      "missing_dependency",
      "files and batches need a spool: start rankmill serve with --spool, or set RANKMILL_SPOOL",
      { field: "spool" },
    );
  }
}
