import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { RankmillError } from "../../core/errors.js";
import { explainFailure, requireSpace } from "./prepare-failure.js";
import { inspectPrepared, sealPrepared, type PreparedState } from "./prepared-folder.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { syncFolder, makeFolder } from "../../platform/files.js";
import { DATA_NAME, GRAPH_NAME } from "./prepare-key.js";
import { preparedPlace, type PreparableModel, type PreparedPlace } from "./prepared-place.js";
import { runPreparer } from "./prepare-process.js";

/** A smaller model loads in no time and holds no memory worth sharing. */
export const MIN_PREPARE_BYTES = 8 * 1024 * 1024;
/** 0.6 GB of int8 takes some 10 s, 2.3 GB of fp32 20 s, on two cores; a slow disk many times that. */
const PREPARE_TIMEOUT_MS = 900_000;
/** Preparing, then reading and syncing what was made. */
const LEFTOVER_AGE_MS = 2 * PREPARE_TIMEOUT_MS;
/** `f_type` of a tmpfs: statfs(2). */
const TMPFS_MAGIC = 0x01021994;

/** Runs `work` while no other process on any host runs one under the same path. */
export type Exclusively = <Result>(
  path: string,
  onWait: () => void,
  work: () => Promise<Result>,
) => Promise<Result>;

export interface PrepareOptions extends PreparableModel {
  /** Absolute paths of its files of weights, if they are outside the graph. */
  readonly externalData: readonly string[];
  /** The compiled `workers/prepare.js`. */
  readonly entryPath: string;
  /** Variables that the preparing process inherits. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly exclusively: Exclusively;
  /** Hash the prepared files even if nothing says that they changed. Default false. */
  readonly fullCheck?: boolean | undefined;
  readonly onProgress?: ((event: PrepareEvent) => void) | undefined;
}

export type PrepareEvent =
  /** Another process prepares the same model. */
  | { readonly type: "waiting" }
  /** The files that were there cannot be used. */
  | { readonly type: "rebuilding"; readonly reason: string }
  | { readonly type: "preparing"; readonly modelBytes: number };

export interface PreparedModel {
  /** Absolute path of the graph to load, with `LaneModel.prepared`. */
  readonly onnxPath: string;
  readonly key: string;
  /** False if this call prepared it. */
  readonly reused: boolean;
  /** Duration of the preparation, now or back then. */
  readonly prepareMs: number;
  /** Graph and weights on disk. */
  readonly bytes: number;
  /** True if the files lie in memory already: they count against a container's limit. */
  readonly onTmpfs: boolean;
  readonly exactInt8: boolean;
  /** See `LaneModel.unmasked`. */
  readonly unmasked: boolean;
}

/**
 * Compiles a model once per host into the runtime's optimised graph with its weights in a file of
 * their own, in the layout of the kernels: lanes then map one copy of them instead of each making
 * its own (bge-reranker-v2-m3: 30 MB of its own per lane instead of 840 in int8, 41 instead of 1,190
 * in fp32). Files that are there and whole are used; damaged ones are put aside and made again.
 *
 * States of a folder: absent → made under a temporary name → published by a rename, after which its
 * files never change → put aside by a rename and deleted, once found damaged. A process that has it
 * mapped meanwhile keeps what it mapped.
 *
 * @throws RankmillError `prepare_failed` with what to do; the original can still be used.
 *   `missing_dependency`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const place = await preparedPlace(options);
  const target: Target = { options, onnxPath: place.model.onnxPath, ...place };
  // First without the lease: a cache that is complete may be read-only.
  const present = await reuse(target);
  if (present !== undefined) return present;
  try {
    await makeFolder(target.cacheDir);
    return await options.exclusively(
      `${target.folder}.claim`,
      () => options.onProgress?.({ type: "waiting" }),
      // Another may have made or mended it meanwhile.
      async () => (await reuse(target)) ?? (await make(target)),
    );
  } catch (error) {
    throw error instanceof RankmillError ? error : await explainFailure(error, target);
  }
}

/** A prepared model that is to be, and its place. */
interface Target extends PreparedPlace {
  readonly options: PrepareOptions;
  readonly onnxPath: string;
}

/** @returns undefined if there is nothing to be used */
async function reuse(target: Target): Promise<PreparedModel | undefined> {
  const { folder, key, options } = target;
  const found = await inspectPrepared(folder, key, options.fullCheck === true);
  return found.status === "good" ? await describe(target, found, true) : undefined;
}

async function make(target: Target): Promise<PreparedModel> {
  const { folder, key, options } = target;
  const found = await inspectPrepared(folder, key, options.fullCheck === true);
  if (found.status === "damaged") {
    options.onProgress?.({ type: "rebuilding", reason: found.reason });
    await putAside(folder);
  }
  await removeLeftovers(target.cacheDir, key);
  const modelBytes = await totalBytes([target.onnxPath, ...options.externalData]);
  options.onProgress?.({ type: "preparing", modelBytes });
  await build(target, modelBytes);
  const made = await inspectPrepared(folder, key, false);
  if (made.status === "good") return await describe(target, made, false);
  const reason = made.status === "damaged" ? made.reason : "it is gone";
  throw new RankmillError("prepare_failed", `${folder} was changed meanwhile: ${reason}`);
}

async function build(target: Target, modelBytes: number): Promise<void> {
  const { options, cacheDir, folder, key, cpu, runtime, model } = target;
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await requireSpace(cacheDir, modelBytes);
    await mkdir(temporary);
    const started = performance.now();
    const { unmasked } = await runPreparer(
      {
        model,
        save: { onnxPath: join(temporary, GRAPH_NAME), dataName: DATA_NAME },
        form: options.form,
      },
      { entryPath: options.entryPath, env: options.env, timeoutMs: PREPARE_TIMEOUT_MS },
    );
    await sealPrepared(temporary, {
      key,
      modelDigest: options.modelDigest,
      runtime,
      arch: cpu.arch,
      ...(cpu.flags === undefined ? {} : { cpuFlags: [...cpu.flags] }),
      prepareMs: Math.round(performance.now() - started),
      unmasked,
    });
    await publish(temporary, folder);
  } catch (error) {
    // Before the temporary folder goes: a full disk is seen only while it is full.
    throw await explainFailure(error, { ...target, modelBytes });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function describe(
  target: Target,
  state: Extract<PreparedState, { status: "good" }>,
  reused: boolean,
): Promise<PreparedModel> {
  const { folder, key, model } = target;
  return {
    onnxPath: join(folder, GRAPH_NAME),
    key,
    reused,
    prepareMs: state.manifest.prepareMs,
    bytes: state.bytes,
    onTmpfs: (await statfs(folder)).type === TMPFS_MAGIC,
    exactInt8: model.exactInt8 === true,
    unmasked: state.manifest.unmasked,
  };
}

/** One rename makes it visible as a whole; whoever comes second uses the first one's. */
async function publish(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    return;
  }
  await syncFolder(join(folder, ".."));
}

/** Never deleted in place: what lanes have mapped must stay as it was until they let go of it. */
async function putAside(folder: string): Promise<void> {
  const aside = `${folder}.${randomUUID()}.tmp`;
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true });
}

/** Temporary folders of preparers that are gone: a living one's is younger than its time limit. */
async function removeLeftovers(cacheDir: string, key: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(`${key}.`) || !name.endsWith(".tmp")) continue;
    const path = join(cacheDir, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > LEFTOVER_AGE_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function totalBytes(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    // A file that is missing is the runtime's to complain about.
    paths.map(async (path) => (await stat(path).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
