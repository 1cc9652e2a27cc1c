import { randomUUID } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";

/** A write of many small pieces costs more than the pieces. */
const BUFFER_CHARS = 65_536;

/** A file that has its name once it is whole: a reader never sees half of it, and a crash leaves the one before. */
export class WholeFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #buffer = "";

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /**
   * @param temporary the name until then; by default one that no other writer of the same file has.
   *   A fixed name leaves no trail of killed writers, and needs a lock
   */
  static async create(path: string, temporary = `${path}.${randomUUID()}.tmp`): Promise<WholeFile> {
    return new WholeFile(path, temporary, await open(temporary, "w"));
  }

  /** Writes all of `pieces`, or leaves what was there before. */
  static async write(
    path: string,
    pieces: AsyncIterable<string> | Iterable<string>,
    temporary?: string,
  ): Promise<void> {
    const file = await WholeFile.create(path, temporary);
    try {
      for await (const piece of pieces) await file.append(piece);
      await file.close();
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  async append(text: string): Promise<void> {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFER_CHARS) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#temporary, this.#path);
  }

  /** Leaves what was there before. Safe after a `close` that failed. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    const text = this.#buffer;
    this.#buffer = "";
    if (text !== "") await this.#file.appendFile(text);
  }
}
