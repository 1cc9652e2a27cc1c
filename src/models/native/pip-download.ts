import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NativeWheel } from "./native-wheel.js";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import { startedChild } from "../../platform/no-more-files.js";

/** Version of Python that the wheels are for: theirs, and not that of the Python on this machine. */
const PYTHON_VERSION = "3.12";

/** The number of times that each file is asked for anew if the connection breaks. */
const RETRIES = 10;

/**
 * Has pip fetch wheels into `folder`, from the index that it is set up with, each held to its pinned
 * sha256 by pip itself.
 *
 * @param python command; its output goes to standard error
 * @throws RankmillError `missing_dependency` if there is no pip; `download_failed`; `cancelled`
 */
export async function pipDownload(
  python: string,
  wheels: readonly NativeWheel[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const list = join(folder, "wheels.txt");
  const lines = wheels.map((one) => `${one.project}==${one.version} --hash=sha256:${one.sha256}`);
  await writeFile(list, `${lines.join("\n")}\n`);
  const args = ["-m", "pip", "download", "--no-deps", "--require-hashes", ...target(wheels)];
  try {
    await call(python, [...args, `--retries=${RETRIES}`, `--dest=${folder}`, "-r", list], signal);
  } finally {
    await rm(list, { force: true });
  }
}

/** The platforms of the wheels, by their names: not that of the Python on this machine. */
function target(wheels: readonly NativeWheel[]): string[] {
  const platforms = wheels.flatMap(({ name }) => platformsOf(name));
  return [
    "--only-binary=:all:",
    `--python-version=${PYTHON_VERSION}`,
    ...new Set(platforms.map((platform) => `--platform=${platform}`)),
  ];
}

/** `NAME-VERSION-PYTHON-ABI-PLATFORM.PLATFORM.whl`, as the Python packaging guide has it. */
function platformsOf(name: string): string[] {
  const last =
    name
      .replace(/\.whl$/, "")
      .split("-")
      .at(-1) ?? "";
  return last.split(".").filter((platform) => platform !== "any");
}

async function call(
  python: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = startedChild(
    spawn(python, args, {
      stdio: ["ignore", 2, "pipe"],
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw noPip(error);
  });
  if (code === 0) return;
  if (/No module named pip/.test(said)) throw noPip(said);
  const reason =
    said
      .trim()
      .split("\n")
      .findLast((line) => line.startsWith("ERROR")) ?? "";
  throw new RankmillError(
    "download_failed",
    wording`pip could not download the files (exit ${String(code)}${reason === "" ? "" : `, ${reason}`}): check its index with "pip config list", or give another with ${option("indexUrl")}`,
  );
}

function noPip(cause: unknown): RankmillError {
  return new RankmillError(
    "missing_dependency",
    wording`the files come from a Python package index, and there is no pip to fetch them with: install python3-pip, or give the index's address with ${option("indexUrl")}, or the files themselves with ${option("from")}`,
    { cause },
  );
}
