/**
 * Brings native libraries out of pinned wheels into a folder from which lanes load them. No package's
 * install script does it: that would run for everybody, and fail if there is no network.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { RankmillError } from "../../core/errors.js";
import { withFileLease } from "../../platform/file-lease.js";
import { asWriteError, type WritePlace } from "../../platform/file-system-errors.js";
import type { NativeFile, NativeWheel } from "./native-wheel.js";
import { PackageIndex } from "./package-index.js";
import { pipDownload } from "./pip-download.js";
import { checkSpace, presentFile, sizeOf } from "../pull/pulled-file.js";
import type { WantedFile } from "../pull/pull-plan.js";
import { syncFolder, makeFolder } from "../../platform/files.js";
import { transferVerified, type TransferSource } from "../pull/transfer.js";
import { option, wording } from "../../core/wording.js";

/** Source of the wheels. */
export type WheelSource =
  /** A package index over HTTP: resumed where it broke off, now or in a later call. */
  | { readonly kind: "index"; readonly url: string }
  /** Wheels in a folder; no socket is opened. */
  | { readonly kind: "folder"; readonly path: string }
  /** pip, with the index that it is set up with. */
  | { readonly kind: "pip"; readonly python: string };

export interface NativeSetupOptions {
  /** Folder of the files; made if it is missing. */
  readonly dir: string;
  readonly wheels: readonly NativeWheel[];
  readonly source: WheelSource;
  /** The words for the folder and for the way to go on, in messages. */
  readonly place: WritePlace;
  /** A file from elsewhere on this machine of which a copy goes into the folder. */
  readonly copied?: { readonly path: string; readonly name: string } | undefined;
  readonly onProgress?: ((progress: NativeSetupProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** First delay between attempts; each further one doubles. Default 500. */
  readonly firstDelayMs?: number | undefined;
}

export interface NativeSetupProgress {
  readonly phase: "waiting" | "downloading" | "unpacking";
  readonly path: string;
  /** Over all wheels. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface NativeSetupResult {
  readonly dir: string;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    /** False if the verified file was there already. */
    readonly fetched: boolean;
  }[];
}

/**
 * Every file is held to its pinned sha256, the wheel's and its own, and appears in one step; whatever is
 * there already and right is kept.
 *
 * @throws RankmillError `download_failed`, `missing_dependency`, `input_unusable`; `cancelled` once `signal` aborts
 */
export async function setupNative(options: NativeSetupOptions): Promise<NativeSetupResult> {
  const { dir, signal, place } = options;
  try {
    await makeFolder(join(dir, "licenses"));
    const lease = { signal, onWait: () => report(options, "waiting", "", 0) };
    return await withFileLease(join(dir, ".claim"), lease, async () => await setUp(options));
  } catch (error) {
    if (signal?.aborted === true) {
      throw new RankmillError("cancelled", `cancelled: ${place.again} to go on from there`, {
        cause: error,
      });
    }
    throw asWriteError(error, dir, undefined, place);
  }
}

async function setUp(options: NativeSetupOptions): Promise<NativeSetupResult> {
  const { dir, wheels, source, place } = options;
  const files: NativeSetupResult["files"][number][] = [];
  const missing: NativeWheel[] = [];
  for (const wheel of wheels) {
    const present = await Promise.all(wheel.files.map((file) => isPresent(dir, file)));
    if (present.every(Boolean)) files.push(...wheel.files.map((file) => named(file, false)));
    else missing.push(wheel);
  }
  const index = source.kind === "index" ? new PackageIndex(source.url) : undefined;
  const scratch = join(dir, "wheels");
  if (missing.length > 0) await makeFolder(scratch);
  if (source.kind === "pip" && missing.length > 0) {
    await checkSpace(scratch, { ...ANY, bytes: sum(missing) }, scratch, place);
    await pipDownload(source.python, missing, scratch, options.signal);
  }
  let before = 0;
  for (const wheel of missing) {
    const kept = source.kind === "folder" ? join(source.path, wheel.name) : undefined;
    const path = kept ?? join(scratch, wheel.name);
    if (index !== undefined) await fetchWheel(index, wheel, path, before, options);
    else await checkWheel(wheel, path);
    before += wheel.bytes;
    for (const file of wheel.files) {
      report(options, "unpacking", file.name, before);
      await unpack(path, file, join(dir, file.name), place);
      files.push(named(file, true));
    }
    if (kept === undefined) await rm(path, { force: true });
  }
  await rm(scratch, { recursive: true, force: true });
  await copyBeside(options);
  for (const folder of new Set([dir, join(dir, "licenses")])) await syncFolder(folder);
  return { dir, files };
}

const ANY: WantedFile = { path: "", bytes: undefined, sha256: undefined, gitBlobId: undefined };

function wantedOf(file: { name: string; bytes: number; sha256: string }): WantedFile {
  return { ...ANY, path: file.name, bytes: file.bytes, sha256: file.sha256 };
}

function named(file: NativeFile, fetched: boolean): NativeSetupResult["files"][number] {
  return { name: file.name, bytes: file.bytes, sha256: file.sha256, fetched };
}

async function isPresent(dir: string, file: NativeFile): Promise<boolean> {
  return (await presentFile(join(dir, file.name), wantedOf(file))) !== undefined;
}

async function checkWheel(wheel: NativeWheel, path: string): Promise<void> {
  if ((await sizeOf(path)) === 0) {
    throw new RankmillError(
      "input_unusable",
      wording`${path} is missing: ${option("from")} wants a folder that holds it`,
    );
  }
  if ((await presentFile(path, wantedOf(wheel))) === undefined) {
    throw new RankmillError(
      "download_failed",
      `${path} is not the pinned file (${wheel.bytes} bytes, sha256 ${wheel.sha256}): download it again`,
    );
  }
}

async function fetchWheel(
  index: PackageIndex,
  wheel: NativeWheel,
  path: string,
  before: number,
  options: NativeSetupOptions,
): Promise<void> {
  if ((await presentFile(path, wantedOf(wheel))) !== undefined) return;
  const { place } = options;
  let located: URL | undefined;
  const source: TransferSource = {
    open: async (offset, signal) => {
      located ??= await index.locate(wheel.project, wheel.name, signal);
      return await index.open(located, offset, signal);
    },
    givenUp: (reason, at) =>
      wording`${wheel.name} could not be downloaded (${reason}): check the network and ${option("indexUrl")}, then ${place.again}, it goes on from byte ${at}`,
    refused: (reason) =>
      wording`${wheel.name} from ${located?.host ?? index.address} is not the pinned file (${reason}): it was thrown away; check ${option("indexUrl")} and the proxy`,
  };
  await checkSpace(dirname(path), wantedOf(wheel), path, place);
  const target = { source, bytes: wheel.bytes, partialPath: path, place };
  await transferVerified(target, wantedOf(wheel), {
    signal: options.signal,
    firstDelayMs: options.firstDelayMs,
    onBytes: (bytes) => report(options, "downloading", wheel.name, before + bytes),
  });
}

/** Takes one deflated file out of a wheel whose every byte is known. */
async function unpack(
  wheelPath: string,
  file: NativeFile,
  target: string,
  place: WritePlace,
): Promise<void> {
  await checkSpace(dirname(target), wantedOf(file), target, place);
  const temporary = `${target}.partial`;
  const hash = createHash("sha256");
  const last = file.offset + file.compressedBytes - 1;
  const hashing = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      createReadStream(wheelPath, { start: file.offset, end: last }),
      createInflateRaw(),
      hashing,
      createWriteStream(temporary, { mode: 0o644, flush: true }),
    );
    const found = hash.digest("hex");
    if (found !== file.sha256) {
      throw new RankmillError(
        "download_failed",
        `${file.name} in ${basename(wheelPath)} has the sha256 ${found}, pinned is ${file.sha256}: the pins do not belong to this wheel, report it`,
      );
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw asWriteError(error, target, file.bytes, place);
  }
}

/** A copy and not a link: what a link leads to would be another version after the next update. */
async function copyBeside({ dir, copied }: NativeSetupOptions): Promise<void> {
  if (copied === undefined) return;
  const target = join(dir, copied.name);
  await copyFile(copied.path, `${target}.partial`, constants.COPYFILE_FICLONE);
  await rename(`${target}.partial`, target);
}

function sum(wheels: readonly NativeWheel[]): number {
  return wheels.reduce((bytes, wheel) => bytes + wheel.bytes, 0);
}

function report(
  { onProgress, wheels }: NativeSetupOptions,
  phase: NativeSetupProgress["phase"],
  path: string,
  bytes: number,
): void {
  onProgress?.({ phase, path, bytes, totalBytes: sum(wheels) });
}
