import { access, constants, readlink, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";

/** The files of one run: all beside its output. */
export interface OutputPaths {
  readonly output: string;
  /** The rankings as JSONL: the output itself, or what an output in another form is made of. */
  readonly rankings: string;
  /** The rankings while they grow. */
  readonly partial: string;
  readonly failed: string;
  readonly manifest: string;
  /** Checksums of the rankings, and digests of their requests. */
  readonly sums: string;
  /** Held while a command writes the others. */
  readonly lock: string;
}

/**
 * `OUT.jsonl` → `OUT.jsonl.partial`, `OUT.failed.jsonl`, `OUT.manifest.json`; in another form,
 * `OUT.trec` → `OUT.trec.partial`, `OUT.trec.rankings.jsonl`, and so on.
 *
 * @param format the name of the output's form
 */
export function outputPaths(output: string, format = "jsonl"): OutputPaths {
  const path = resolve(output);
  const stem = join(dirname(path), basename(path).replace(/\.jsonl$/, ""));
  return {
    output: path,
    rankings: format === "jsonl" ? path : `${path}.rankings.jsonl`,
    partial: `${path}.partial`,
    failed: `${stem}.failed.jsonl`,
    manifest: `${stem}.manifest.json`,
    sums: `${path}.sums`,
    lock: `${path}.lock`,
  };
}

/** The names that files have while they are made: nobody else gives such names. */
export function temporariesOf(paths: OutputPaths): string[] {
  return Object.values<string>({ ...paths }).map(temporaryOf);
}

/** The name of a file until it is whole. The lock is held meanwhile: one name is enough. */
export function temporaryOf(path: string): string {
  return `${path}.rankmill.tmp`;
}

const UNREADABLE = "\ufffd";
/** Links that lead to links: as many as the kernel follows. */
const MAX_LINKS = 40;

/**
 * Follows the links at the end of an output's path, so that the file they lead to is written and no
 * link is replaced by a file. A link may lead to what is not there yet.
 *
 * @throws RankmillError `place_unusable` for a name that only a folder can have, and for links in a circle
 */
export async function linkTarget(output: string): Promise<string> {
  if (/[/\\]$/.test(output)) {
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${output}: is the name of a folder, a file is expected`,
    );
  }
  // Node gives such a name with this character in the place of its bytes: another file would be written.
  if (output.includes(UNREADABLE)) {
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${output}: the name holds bytes that are not UTF-8: choose another`,
    );
  }
  let at = resolve(output);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const target = await readlink(at).catch(() => undefined);
    const found = target === undefined ? undefined : await stat(at).catch(() => undefined);
    if (target === undefined || (found !== undefined && !found.isFile())) return at;
    const folder = await realpath(dirname(at)).catch(() => dirname(at));
    at = resolve(folder, target);
  }
  throw new RankmillError(
    "place_unusable",
    wording`${option("output")} ${output}: is a link that leads to itself`,
  );
}

/** Lock, manifest and a first few rankings: if not even those fit, nothing is begun. */
const MIN_FREE_BYTES = 65_536;

/** @throws RankmillError `place_unusable` if a run cannot write its files there */
export async function checkPlace(paths: OutputPaths): Promise<void> {
  const folder = dirname(paths.output);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "does not exist"
        : `cannot be written by user ${process.getuid?.() ?? "of this process"} (${code})`;
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${paths.output}: the folder ${folder} ${why}`,
    );
  }
  // Some file systems do not tell; one that says zero for both has no such figures.
  const space = await statfs(folder).catch(() => undefined);
  if (space !== undefined && space.blocks > 0 && space.bavail * space.bsize < MIN_FREE_BYTES) {
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${paths.output}: the file system of ${folder} is full (${space.bavail * space.bsize} bytes free, ${MIN_FREE_BYTES} needed at the least)`,
    );
  }
  for (const path of Object.values(paths) as string[]) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    if (!found.isFile())
      throw new RankmillError(
        "place_unusable",
        wording`${option("output")} ${paths.output}: ${path} is not a file`,
      );
    await access(path, constants.W_OK).catch(() => {
      throw new RankmillError(
        "place_unusable",
        wording`${option("output")} ${paths.output}: ${path} is read-only`,
      );
    });
  }
}
