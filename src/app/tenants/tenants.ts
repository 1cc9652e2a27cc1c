import type { Limits } from "../../core/contract.js";
import { openSpool } from "../../outputs/spool/registry.js";
import { openUploads } from "../../outputs/uploads/registry.js";
import { SingleFlightPoll } from "../../platform/single-flight-poll.js";
import { BatchExpiries } from "../../redis/batch-expiries.js";
import { FileIndex } from "../../redis/file-index.js";
import { OnceStore } from "../../redis/once-store.js";
import { Runs } from "../runs/runs.js";
import type { CallerLimitKeeper } from "./caller-limits.js";
import { OwnedBatches } from "./owned-batches.js";
import { OwnedFiles, type UploadBounds } from "./owned-files.js";
import { OwnedJobs } from "./owned-jobs.js";
import { OwnedRuns } from "./owned-runs.js";
import type { RedisClient } from "../../redis/redis-client.js";

export interface TenantsOptions {
  readonly redis: RedisClient;
  readonly limits: Limits;
  readonly keeper: CallerLimitKeeper;
  /** Place of runs, files and batches; undefined: runs lie in Redis, and there are no files. */
  readonly spool: string | undefined;
  /** Where endpoint, region and credentials of a bucket stand. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uploads: UploadBounds;
  /** The time that a batch has; undefined: as long as it takes. */
  readonly batchExpirySeconds?: number | undefined;
  /** Told of files that could not be removed, and batches that could not be stopped, when their time was over. */
  readonly onError: (error: unknown) => void;
}

/** The things that callers own, and that outlive a request. */
export interface Tenants {
  readonly jobs: OwnedJobs;
  readonly runs: OwnedRuns;
  readonly files: OwnedFiles;
  readonly batches: OwnedBatches;
  readonly once: OnceStore;
  close(): Promise<void>;
}

/** Files whose time is over are gone within the hour. */
const SWEEP_MS = 3_600_000;
/** A batch is stopped at most so long after its time is over. */
const BATCH_SWEEP_MS = 5_000;

/**
 * Opens what callers own.
 *
 * @throws RankmillError if there is a spool, and it cannot be used
 */
export async function openTenants(options: TenantsOptions): Promise<Tenants> {
  const { redis, limits, keeper, spool, env, uploads, onError } = options;
  const open = spool === undefined ? undefined : () => openSpool(spool, env);
  const openFiles = spool === undefined ? undefined : once(() => openUploads(spool, env));
  const runs = new Runs(redis, open);
  const jobs = new OwnedJobs(redis, limits, keeper);
  const files = new OwnedFiles(new FileIndex(redis), openFiles, uploads);
  // A wrong place is an error of the start, and not of the first upload.
  await (await open?.())?.check();
  void files.sweep().catch(onError);
  const sweeping = setInterval(() => void files.sweep().catch(onError), SWEEP_MS);
  const ownRuns = new OwnedRuns(runs, spool !== undefined);
  const batches = new OwnedBatches({
    runs: ownRuns,
    files,
    bounds: { limits, ...uploads },
    expiries: new BatchExpiries(redis),
    expirySeconds: options.batchExpirySeconds,
  });
  // Without a spool there are no batches.
  const expiring = new SingleFlightPoll(() => batches.sweep().catch(onError), BATCH_SWEEP_MS);
  const expiringTimer =
    spool === undefined ? undefined : setInterval(() => void expiring.answer(), BATCH_SWEEP_MS);
  return {
    jobs,
    runs: ownRuns,
    files,
    batches,
    once: new OnceStore(redis),
    close: async () => {
      clearInterval(sweeping);
      clearInterval(expiringTimer);
      await Promise.all([runs.close(), jobs.close()]);
    },
  };
}

/** Opens a place when it is first asked for, and again only if that failed. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return async () => {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
}
