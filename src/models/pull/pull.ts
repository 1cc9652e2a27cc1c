import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CatalogueEntry } from "../../core/catalogue.js";
import type { Precision } from "../../core/precision.js";
import { RankmillError } from "../../core/errors.js";
import { withFileLease } from "../../platform/file-lease.js";
import type { ContentHashes } from "../../platform/content-hash.js";
import { asWriteError } from "../../platform/file-system-errors.js";
import { copyFromHubCache } from "./hub-cache.js";
import { HubClient, TransientHubError } from "./hub-client.js";
import type { HubListing, HubOptions } from "./hub-client.js";
import { readLock, writeLock } from "../lock-file.js";
import type { LockedModel } from "../lock-file.js";
import { readModelConfig } from "../model-config.js";
import { readModelUse } from "../model-use.js";
import { lockFilePath, pulledModelFolder, shortRevision } from "../model-cache.js";
import { chooseFile, inspectModelFolder } from "../model-folder.js";
import { needsListing, planFiles, pullSource } from "./pull-plan.js";
import type { PullSource, WantedFile } from "./pull-plan.js";
import { placeSettings } from "./catalogued-settings.js";
import { checkSpace, presentFile } from "./pulled-file.js";
import { syncFolder, makeFolder } from "../../platform/files.js";
import { transferVerified, type TransferSource } from "./transfer.js";
import { option, wording } from "../../core/wording.js";

const LISTING_ATTEMPTS = 4;
const DEFAULT_REVISION = "main";
const COMMIT = /^[0-9a-f]{40}$/;

export interface PullOptions extends HubOptions {
  /** Folder of the models and their lock file; made if it is missing. */
  readonly modelsDir: string;
  readonly precision: Precision;
  /** Branch, tag or commit. Default: the pinned commit, then the catalogue's, then `main`. */
  readonly revision?: string | undefined;
  /** The user has read and accepts a non-commercial licence. */
  readonly acceptLicence?: boolean | undefined;
  /** Replace the pins of this model in the lock file by what the hub has now. */
  readonly repin?: boolean | undefined;
  /** Open no socket: what is not on this machine already is an error. */
  readonly offline?: boolean | undefined;
  /** `$HF_HOME/hub`: files that lie there need not be downloaded. */
  readonly hubCacheDir?: string | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** First delay between attempts; each further one doubles. Default 500. */
  readonly firstDelayMs?: number | undefined;
}

export interface PullProgress {
  /** `waiting`: another process pulls the same model. */
  readonly phase: "waiting" | "downloading" | "verified";
  /** The file at hand, as the repository spells it; empty while waiting. */
  readonly path: string;
  readonly fileBytes: number;
  readonly fileTotalBytes: number | undefined;
  /** Over all files; the total is undefined while a size is unknown. */
  readonly bytes: number;
  readonly totalBytes: number | undefined;
}

export interface PulledModel {
  readonly id: string;
  /** Absolute or relative as `modelsDir` was: to be given to `resolveModel` by name, not by path. */
  readonly folder: string;
  /** The commit, 40 hex digits. */
  readonly revision: string;
  readonly files: readonly PulledFile[];
}

interface PulledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** False if the verified file was there already. */
  readonly fetched: boolean;
}

/**
 * Brings a model onto this machine and pins it: commit and sha256 of every file go into
 * `rankmill-models.lock.json` at the first pull, and anything else is refused from then on. Verified
 * files appear in one step; a broken transfer goes on where it stopped, in this pull or a later one.
 *
 * @param model an entry of the catalogue or a hub id
 * @throws RankmillError `access_denied` (licence, access), `model_not_found`, `model_unusable`,
 *   `download_failed`; `cancelled` once `signal` aborts
 */
export async function pullModel(
  model: CatalogueEntry | string,
  options: PullOptions,
): Promise<PulledModel> {
  const pull = new Pull(pullSource(model, options.acceptLicence ?? false), options);
  try {
    return await pull.run();
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
    throw new RankmillError("cancelled", "the pull was cancelled: pull again to go on from there", {
      cause: error,
    });
  }
}

class Pull {
  readonly #source: PullSource;
  readonly #options: PullOptions;
  readonly #hub: HubClient | undefined;

  constructor(source: PullSource, options: PullOptions) {
    this.#source = source;
    this.#options = options;
    this.#hub = options.offline === true ? undefined : new HubClient(options);
  }

  async run(): Promise<PulledModel> {
    const { modelsDir, precision, signal, repin } = this.#options;
    const { id } = this.#source;
    const lockPath = lockFilePath(modelsDir);
    const locked = repin === true ? undefined : (await readLock(lockPath)).models[id];
    if (locked !== undefined && locked.repository !== this.#source.repository) {
      throw new RankmillError(
        "download_failed",
        wording`${id} was pinned from ${locked.repository}, now it comes from ${this.#source.repository}: pull again with ${option("repin")} if that is meant`,
      );
    }
    const { commit, listing } = await this.#resolveCommit(locked);
    const plan = this.#plan(commit, locked, listing);
    const folder = pulledModelFolder(modelsDir, id, commit);
    await this.#makeFolder(folder);
    const lease = {
      signal,
      onWait: () => {
        this.#report(
          { phase: "waiting", path: "", fileBytes: 0, fileTotalBytes: undefined },
          plan,
          0,
        );
      },
    };
    const files = await withFileLease(`${folder}.claim`, lease, () =>
      this.#fetchAll(plan, commit, folder),
    );
    await this.#pin(lockPath, commit, files);
    // Refused here, before a worker is started on it. The files stay: they are what they should be.
    chooseFile(await inspectModelFolder(folder), precision);
    return { id, folder, revision: commit, files };
  }

  async #resolveCommit(
    locked: LockedModel | undefined,
  ): Promise<{ commit: string; listing: HubListing | undefined }> {
    const { revision: wanted, precision } = this.#options;
    const fallback = locked?.revision ?? this.#source.catalogued?.revision ?? DEFAULT_REVISION;
    const revision = wanted ?? fallback;
    const isCommit = COMMIT.test(revision);
    if (isCommit) this.#checkRevision(revision, locked);
    if (isCommit && !needsListing(this.#source, precision, revision, locked)) {
      return { commit: revision, listing: undefined };
    }
    if (this.#hub === undefined) {
      // The lock file knows a model that was pulled once as well as the hub does.
      if (locked?.revision === revision) return { commit: revision, listing: listingOf(locked) };
      throw this.#notAtHand();
    }
    const listing = await this.#list(this.#hub, revision);
    this.#checkRevision(listing.commit, locked);
    return { commit: listing.commit, listing };
  }

  #plan(
    commit: string,
    locked: LockedModel | undefined,
    listing: HubListing | undefined,
  ): WantedFile[] {
    try {
      return planFiles(this.#source, this.#options.precision, commit, locked, listing);
    } catch (error) {
      if (this.#hub === undefined) throw this.#notAtHand(error);
      throw error;
    }
  }

  #notAtHand(cause?: unknown): RankmillError {
    return new RankmillError(
      "model_not_found",
      `${this.#source.id} (${this.#options.precision}) was not pulled to this machine and offline mode forbids to ask the hub: pull it online first, or copy the models folder with its lock file`,
      { cause },
    );
  }

  #checkRevision(commit: string, locked: LockedModel | undefined): void {
    if (locked === undefined || locked.revision === commit) return;
    throw new RankmillError(
      "download_failed",
      wording`${this.#source.id} is pinned to commit ${shortRevision(locked.revision)} and ${shortRevision(commit)} was asked for: pull again with ${option("repin")} to move the pin`,
    );
  }

  async #list(hub: HubClient, revision: string): Promise<HubListing> {
    const { signal, firstDelayMs = 500 } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await hub.list(this.#source.repository, revision, signal);
      } catch (error) {
        if (!(error instanceof TransientHubError)) throw error;
        if (attempt === LISTING_ATTEMPTS) {
          throw new RankmillError(
            "download_failed",
            `${this.#source.repository} could not be looked up: ${error.message}; check the network and HF_ENDPOINT`,
            { cause: error },
          );
        }
        await sleep(error.retryAfterMs ?? firstDelayMs * 2 ** (attempt - 1), undefined, { signal });
      }
    }
  }

  async #fetchAll(
    plan: readonly WantedFile[],
    commit: string,
    folder: string,
  ): Promise<PulledFile[]> {
    const { settings } = this.#source;
    // Before config.json, which is checked with them.
    const files: PulledFile[] =
      settings === undefined ? [] : [await placeSettings(folder, settings)];
    let bytes = 0;
    for (const wanted of plan) {
      this.#options.signal?.throwIfAborted();
      const file = await this.#fetch(wanted, plan, commit, folder, bytes);
      files.push(file);
      bytes += file.bytes;
      this.#report(
        {
          phase: "verified",
          path: file.path,
          fileBytes: file.bytes,
          fileTotalBytes: file.bytes,
        },
        plan,
        bytes,
      );
      // A classifier or an unreadable config is refused before its weights are downloaded.
      if (wanted.path === "config.json") await readModelUse(folder, await readModelConfig(folder));
    }
    // The pins are written after this: they never name a file that a power cut could take back.
    const folders = new Set(
      files.filter((file) => file.fetched).map((file) => dirname(join(folder, file.path))),
    );
    for (const each of folders) await syncFolder(each);
    return files;
  }

  async #fetch(
    wanted: WantedFile,
    plan: readonly WantedFile[],
    commit: string,
    folder: string,
    bytesBefore: number,
  ): Promise<PulledFile> {
    const { path } = wanted;
    const target = join(folder, ...path.split("/"));
    const present = await presentFile(target, wanted);
    if (present !== undefined) return { path, ...present, fetched: false };
    await this.#makeFolder(dirname(target));
    const partialPath = `${target}.partial`;
    const { hubCacheDir } = this.#options;
    if (
      hubCacheDir !== undefined &&
      (await copyFromHubCache(hubCacheDir, this.#source.repository, commit, wanted, partialPath))
    ) {
      await this.#moveIntoPlace(partialPath, target);
      const copied = await presentFile(target, wanted);
      if (copied !== undefined) return { path, ...copied, fetched: true };
    }
    const hub = this.#hub;
    if (hub === undefined) {
      throw new RankmillError(
        "model_not_found",
        `${target} is missing or not what was pinned and offline mode forbids to download it: pull ${this.#source.id} online`,
      );
    }
    await checkSpace(dirname(target), wanted, partialPath);
    const result = await this.#download(hub, wanted, commit, partialPath, (fileBytes, total) => {
      this.#report(
        { phase: "downloading", path, fileBytes, fileTotalBytes: total },
        plan,
        bytesBefore + fileBytes,
      );
    });
    await this.#moveIntoPlace(partialPath, target);
    return { path, bytes: result.bytes, sha256: result.sha256, fetched: true };
  }

  async #download(
    hub: HubClient,
    wanted: WantedFile,
    commit: string,
    partialPath: string,
    onBytes: (fileBytes: number, totalBytes: number | undefined) => void,
  ): Promise<ContentHashes> {
    const { repository } = this.#source;
    const { signal, firstDelayMs } = this.#options;
    const { path, bytes } = wanted;
    const source: TransferSource = {
      open: async (offset, both) => await hub.open(repository, commit, path, offset, both),
      givenUp: (reason, at) =>
        `${path} of ${repository} could not be downloaded (${reason}): check the network and HF_ENDPOINT, then pull again, it goes on from byte ${at}`,
      refused: (reason) =>
        `${path} of ${repository} from ${hub.endpoint} is not the pinned file (${reason}): it was thrown away; check HF_ENDPOINT and the proxy, then pull again`,
    };
    const options = { signal, onBytes, firstDelayMs };
    return await transferVerified({ source, bytes, partialPath }, wanted, options);
  }

  async #pin(lockPath: string, commit: string, files: readonly PulledFile[]): Promise<void> {
    const { id, repository } = this.#source;
    const { signal, repin } = this.#options;
    try {
      await withFileLease(`${lockPath}.claim`, { signal }, async () => {
        const lock = await readLock(lockPath);
        const before = lock.models[id];
        if (repin !== true) this.#checkRevision(commit, before);
        const kept = before?.revision === commit ? before.files : {};
        const now = files.map(({ path, sha256, bytes }) => [path, { sha256, bytes }] as const);
        const pinned = {
          repository,
          revision: commit,
          files: { ...kept, ...Object.fromEntries(now) },
        };
        if (JSON.stringify(pinned) === JSON.stringify(before)) return;
        lock.models[id] = pinned;
        await writeLock(lockPath, lock);
      });
    } catch (error) {
      throw asWriteError(error, lockPath);
    }
  }

  async #moveIntoPlace(partialPath: string, target: string): Promise<void> {
    try {
      await rename(partialPath, target);
    } catch (error) {
      throw asWriteError(error, target);
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    try {
      await makeFolder(folder);
    } catch (error) {
      throw asWriteError(error, folder);
    }
  }

  #report(
    progress: Pick<PullProgress, "phase" | "path" | "fileBytes" | "fileTotalBytes">,
    plan: readonly WantedFile[],
    bytes: number,
  ): void {
    let totalBytes: number | undefined = 0;
    for (const file of plan) {
      totalBytes =
        totalBytes === undefined || file.bytes === undefined ? undefined : totalBytes + file.bytes;
    }
    this.#options.onProgress?.({ ...progress, bytes, totalBytes });
  }
}

function listingOf(locked: LockedModel): HubListing {
  const files = Object.entries(locked.files).map(([path, { sha256, bytes }]) => ({
    path,
    bytes,
    sha256,
    gitBlobId: undefined,
  }));
  return { commit: locked.revision, files };
}
