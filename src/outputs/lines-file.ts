import { randomUUID } from "node:crypto";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { RankmillError } from "../core/errors.js";

/** A write of many small lines costs more than the lines. */
const BUFFER_CHARS = 65_536;

/** A file of lines that has its name once it is whole. */
export class LinesFile {
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
   * @param flag for the error
   * @throws RankmillError `place_unusable` where the place cannot be written
   */
  static async open(path: string, flag: string): Promise<LinesFile> {
    const whole = resolve(path);
    const there = await stat(whole).catch(() => undefined);
    if (there !== undefined && !there.isFile()) {
      throw new RankmillError("place_unusable", `${flag} ${path}: is not a file`);
    }
    const temporary = `${whole}.${randomUUID()}.tmp`;
    try {
      return new LinesFile(whole, temporary, await open(temporary, "wx"));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new RankmillError("place_unusable", `${flag} ${path}: cannot be written (${code})`, {
        cause: error,
      });
    }
  }

  async write(line: string): Promise<void> {
    this.#buffer += `${line}\n`;
    if (this.#buffer.length >= BUFFER_CHARS) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#temporary, this.#path);
  }

  /** Leaves what was there before. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    const text = this.#buffer;
    this.#buffer = "";
    await this.#file.appendFile(text);
  }
}
