import { open } from "node:fs/promises";
import { RankmillError } from "../../../src/core/errors.js";
import { errnoOf } from "../../../src/platform/file-system-errors.js";

/** The file that is read if none is named. */
export const CONFIG_FILE = "rankmill.toml";

const MOST_BYTES = 64 * 1024;

export type ConfigTable = Readonly<Record<string, unknown>>;

export interface ConfigFile {
  /** The path that messages show. */
  readonly path: string;
  /** True if somebody has named it: it may set everything. */
  readonly isNamed: boolean;
  readonly table: ConfigTable;
}

/**
 * Reads the file that is named, or else the one in the working folder.
 *
 * @returns undefined if none is named and there is none
 * @throws RankmillError `invalid_option` for a file that cannot be read
 */
export async function readConfig(named: string | undefined): Promise<ConfigFile | undefined> {
  const path = named ?? CONFIG_FILE;
  const text = await textOf(path, named !== undefined);
  if (text === undefined) return undefined;
  // Loaded only now: most commands have no such file.
  const { parse, TomlError } = await import("smol-toml");
  try {
    return { path, isNamed: named !== undefined, table: parse(text) };
  } catch (error) {
    const [reason = ""] = error instanceof Error ? error.message.split("\n", 1) : [];
    const line = error instanceof TomlError ? `line ${error.line}: ` : "";
    throw new RankmillError("invalid_option", `${path}: ${line}${reason}`);
  }
}

async function textOf(path: string, isNamed: boolean): Promise<string | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > MOST_BYTES) {
        const message = `${path}: has ${size} bytes, over the limit of ${MOST_BYTES}`;
        throw new RankmillError("invalid_option", message);
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" && !isNamed) return undefined;
    if (code === undefined) throw error;
    throw new RankmillError("invalid_option", `--config: ${path} cannot be read (${code})`);
  }
}
