import { readFile } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";

export interface MemoryLimit {
  readonly bytes: number;
  /** The source of the limit, for the log. */
  readonly source: "option" | "cgroup v2" | "cgroup v1" | "host";
  /** True if one process over the limit takes all others along, and `bytes` is less for it. */
  readonly killedWhole?: true;
}

/** Mount point of the control groups; tests have their own. */
export interface CgroupPlaces {
  readonly mount: string;
  /** Text of /proc/self/cgroup. */
  readonly selfCgroup: string;
}

/** cgroup v1 writes the largest page-aligned number for "no limit"; no machine has a petabyte. */
const NO_LIMIT_FROM_BYTES = 2 ** 50;

/**
 * The share that is used of a limit under which the kernel ends all processes at once
 * (`memory.oom.group`, as Kubernetes sets it from 1.28 on): there a wrong estimate costs the worker,
 * elsewhere a lane.
 */
const KILLED_WHOLE_SHARE = 0.9;

const KIB = 1024;

export const SYSTEM_PLACES: CgroupPlaces = {
  mount: "/sys/fs/cgroup",
  selfCgroup: "/proc/self/cgroup",
};

/**
 * The memory that a worker may take, lanes included: what the operator says, else the tightest limit
 * of its control groups, their parents' included, else what the host has to give now.
 *
 * @param given the operator's own limit, bytes
 */
export async function memoryLimit(
  given: number | undefined,
  places: CgroupPlaces = SYSTEM_PLACES,
): Promise<MemoryLimit> {
  if (given !== undefined) return { bytes: given, source: "option" };
  const host = await availableBytes();
  const found = (await groupFiles(places)).map(async ({ folder, version }) => {
    const names =
      version === "cgroup v2" ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"];
    const values = await Promise.all(names.map((name) => readBytes(join(folder, name))));
    const bytes = Math.min(...values);
    if ((await readText(join(folder, "memory.oom.group"))).trim() !== "1") {
      return { bytes, source: version };
    }
    const share = Math.floor(bytes * KILLED_WHOLE_SHARE);
    return { bytes: share, source: version, killedWhole: true as const };
  });
  const limits: MemoryLimit[] = [{ bytes: host, source: "host" }, ...(await Promise.all(found))];
  return limits.reduce((tightest, limit) => (limit.bytes < tightest.bytes ? limit : tightest));
}

/**
 * The number of processes of this control group that the kernel has killed for want of memory so far;
 * undefined if it does not count them.
 */
export async function oomKills(places: CgroupPlaces = SYSTEM_PLACES): Promise<number | undefined> {
  let kills: number | undefined;
  for (const { folder, version } of await groupFiles(places)) {
    const name = version === "cgroup v2" ? "memory.events" : "memory.oom_control";
    const [, count] = /^oom_kill (\d+)$/m.exec(await readText(join(folder, name))) ?? [];
    // The innermost group that counts: outer ones know of other containers, too.
    if (count !== undefined) kills ??= Number(count);
  }
  return kills;
}

/** The folders of this process's memory groups, innermost first, roots included. */
async function groupFiles({
  mount,
  selfCgroup,
}: CgroupPlaces): Promise<{ folder: string; version: "cgroup v2" | "cgroup v1" }[]> {
  const folders: { folder: string; version: "cgroup v2" | "cgroup v1" }[] = [];
  for (const line of (await readText(selfCgroup)).split("\n")) {
    const [, controllers = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    // In a container the path is the host's and may not exist here: its own group is the mount.
    if (controllers === "") {
      for (const up of upwards(path))
        folders.push({ folder: join(mount, up), version: "cgroup v2" });
    } else if (controllers.split(",").includes("memory")) {
      for (const up of upwards(path)) {
        folders.push({ folder: join(mount, "memory", up), version: "cgroup v1" });
      }
    }
  }
  return folders;
}

/** `/a/b` → `/a/b`, `/a`, `/`. */
function upwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return Array.from({ length: parts.length + 1 }, (_, dropped) =>
    ["", ...parts.slice(0, parts.length - dropped)].join("/"),
  ).map((folder) => (folder === "" ? "/" : folder));
}

async function readBytes(path: string): Promise<number> {
  const text = (await readText(path)).trim();
  const bytes = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return bytes < NO_LIMIT_FROM_BYTES ? bytes : Number.POSITIVE_INFINITY;
}

/** Bytes that the host can give without swapping, its caches included. */
async function availableBytes(): Promise<number> {
  const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(await readText("/proc/meminfo")) ?? [];
  return kib === undefined ? freemem() : Number(kib) * KIB;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
