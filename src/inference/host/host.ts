import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";

const CPU_MAX_V2 = "/sys/fs/cgroup/cpu.max";
const CPU_QUOTA_V1 = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us";
const CPU_PERIOD_V1 = "/sys/fs/cgroup/cpu/cpu.cfs_period_us";

/**
 * Cores that this process may really use: the smaller of its CPU affinity and its container's
 * quota, at least 1. ONNX Runtime's own default is the host's cores, quota or not.
 */
export async function usableCores(): Promise<number> {
  const quota = (await quotaV2()) ?? (await quotaV1()) ?? Infinity;
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quota)));
}

async function quotaV2(): Promise<number | undefined> {
  const [quota, period] = (await readText(CPU_MAX_V2)).trim().split(" ");
  return ratio(quota, period);
}

async function quotaV1(): Promise<number | undefined> {
  return ratio((await readText(CPU_QUOTA_V1)).trim(), (await readText(CPU_PERIOD_V1)).trim());
}

function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  // "max" and -1 stand for no quota.
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
