import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { compareVersions, LEAST_REDIS_VERSION } from "../redis-info.js";
import { isNoMoreFiles } from "../../platform/no-more-files.js";

/** A server program that runs on this machine, as far as `--version` shows it. */
export interface ServerProgram {
  readonly name: "redis-server" | "valkey-server";
  /** Absolute. */
  readonly path: string;
  readonly version: string;
}

const PROGRAM_NAMES = ["redis-server", "valkey-server"] as const;
const VERSION_TIMEOUT_MS = 5_000;

/**
 * The server programs on a search path that can be run and are not too old, the preferred one
 * first. Each that is found but cannot be used is told to `onWarning`.
 *
 * @param searchPath folders as in PATH; relative ones are left out, since what they name depends on
 *   where the user stands
 */
export async function findServerPrograms(
  searchPath: string,
  onWarning: (line: string) => void,
): Promise<ServerProgram[]> {
  const folders = searchPath.split(delimiter).filter((folder) => isAbsolute(folder));
  const programs: ServerProgram[] = [];
  for (const name of PROGRAM_NAMES) {
    const path = await firstExecutable(folders, name);
    if (path === undefined) continue;
    const checked = await checkProgram(path);
    if (checked.status === "usable") programs.push({ name, path, version: checked.version });
    else onWarning(`${path} is passed over: ${checked.reason}`);
  }
  return programs;
}

async function firstExecutable(
  folders: readonly string[],
  name: string,
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // The program is not there, or may not be run.
    }
  }
  return undefined;
}

async function checkProgram(
  path: string,
): Promise<{ status: "usable"; version: string } | { status: "unusable"; reason: string }> {
  let output: string;
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], {
      timeout: VERSION_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    output = stdout;
  } catch (error) {
    if (isNoMoreFiles(error)) throw error;
    return { status: "unusable", reason: firstLine(error instanceof Error ? error.message : "") };
  }
  // "Redis server v=7.0.15 sha=…", "Valkey server v=8.0.1 sha=…"
  const version = /\bv=(\d+(?:\.\d+)*)/.exec(output)?.[1];
  if (version === undefined) {
    return { status: "unusable", reason: `--version says ${JSON.stringify(firstLine(output))}` };
  }
  if (compareVersions(version, LEAST_REDIS_VERSION) < 0) {
    return {
      status: "unusable",
      reason: `version ${version} is older than ${LEAST_REDIS_VERSION}`,
    };
  }
  return { status: "usable", version };
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
