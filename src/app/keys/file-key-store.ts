import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { accessKeySchema, type AccessKey } from "../../core/access-key.js";
import { RankmillError } from "../../core/errors.js";
import { MAX_KEYS, type KeyStore } from "../../core/ports/key-store.js";
import { damaged, parseStored } from "../../core/stored-json.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { WholeFile } from "../../platform/whole-file.js";

/** Ten thousand keys take about 4 MB. */
const MAX_FILE_BYTES = 16_777_216;

const fileSchema = z.object({ keys: z.array(accessKeySchema).max(MAX_KEYS) });

/**
 * Keys in a JSON file, `{"keys": […]}`, which may be mounted read-only. It is read again once it has
 * changed. One that is damaged lets nobody in until it is whole again. Whoever changes it does so alone.
 */
export class FileKeyStore implements KeyStore {
  readonly name: string;
  readonly #path: string;
  #read: { readonly version: string; readonly keys: ReadonlyMap<string, AccessKey> } | undefined;

  constructor(path: string) {
    this.#path = path;
    this.name = `the file ${path}`;
  }

  async find(id: string): Promise<AccessKey | undefined> {
    return (await this.#keys()).get(id);
  }

  async list(): Promise<AccessKey[]> {
    return [...(await this.#keys()).values()];
  }

  async add(key: AccessKey): Promise<void> {
    const keys = await this.#keys(new Map());
    if (keys.has(key.id)) {
      throw new RankmillError("conflict", `${this.name} holds a key ${key.id} already`);
    }
    if (keys.size >= MAX_KEYS) {
      const limit = { name: "keys", value: keys.size + 1, max: MAX_KEYS, unit: "keys" };
      const message = `${this.name} holds ${keys.size} keys, and may hold no more: revoke some`;
      throw new RankmillError("limit_exceeded", message, { limit });
    }
    await this.#write([...keys.values(), key]);
  }

  async remove(id: string): Promise<boolean> {
    const keys = await this.#keys(new Map());
    if (!keys.has(id)) return false;
    await this.#write([...keys.values()].filter((key) => key.id !== id));
    return true;
  }

  /** @param absent the keys of a file that is not there; undefined: it must be there */
  async #keys(absent?: ReadonlyMap<string, AccessKey>): Promise<ReadonlyMap<string, AccessKey>> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = [mtimeMs, size, ino].join(" ");
      if (this.#read?.version === version) return this.#read.keys;
      if (size > MAX_FILE_BYTES) throw damaged(this.name, `it has ${size} bytes`);
      const text = await readFile(this.#path, "utf8");
      const { keys } = parseStored(fileSchema, text, this.name);
      this.#read = { version, keys: new Map(keys.map((key) => [key.id, key])) };
      return this.#read.keys;
    } catch (error) {
      const code = errnoOf(error);
      if (code === "ENOENT" && absent !== undefined) return absent;
      if (code === undefined) throw error;
      throw this.#unusable("read", code, error);
    }
  }

  async #write(keys: readonly AccessKey[]): Promise<void> {
    try {
      await WholeFile.write(this.#path, [`${JSON.stringify({ keys }, null, 2)}\n`]);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      throw this.#unusable("written", code, error);
    }
  }

  #unusable(done: string, code: string, cause: unknown): RankmillError {
    const message = `${this.name} of keys cannot be ${done} (${code})`;
    return new RankmillError("place_unusable", message, { place: this.#path, cause });
  }
}
