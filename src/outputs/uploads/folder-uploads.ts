import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { UploadStore } from "../../core/ports/upload-store.js";
import { makeFolder } from "../../platform/files.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { checkUploadId, uploadGone } from "./upload-id.js";

/** No run can have this name, since it begins with a dot. */
const FOLDER = ".uploads";

/** Uploads in a folder of their own below that of a spool. */
export class FolderUploads implements UploadStore {
  readonly name: string;
  readonly #folder: string;

  constructor(spoolFolder: string) {
    this.#folder = join(resolve(spoolFolder), FOLDER);
    this.name = this.#folder;
  }

  async put(id: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const path = this.#path(id);
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await makeFolder(this.#folder);
      const bytes = await write(temporary, chunks);
      await rename(temporary, path);
      return bytes;
    } catch (error) {
      await rm(temporary, { force: true });
      const code = errnoOf(error);
      if (code === undefined) throw error;
      const message = `the folder of uploads ${this.#folder} cannot be written (${code})`;
      throw new RankmillError("place_unusable", message, { cause: error });
    }
  }

  async *read(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of createReadStream(this.#path(id))) yield chunk as Uint8Array;
    } catch (error) {
      throw errnoOf(error) === "ENOENT" ? uploadGone(id) : error;
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  async sweep(storedBeforeMs: number): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.#folder).catch((): string[] => [])) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || found.mtimeMs >= storedBeforeMs) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  #path(id: string): string {
    return join(this.#folder, checkUploadId(id));
  }
}

async function write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  // An upload holds texts that nobody else on the host has to read.
  const file = await open(path, "wx", 0o600);
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      await file.appendFile(chunk);
      bytes += chunk.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}
