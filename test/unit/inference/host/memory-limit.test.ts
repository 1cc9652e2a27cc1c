import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  memoryLimit,
  oomKills,
  type CgroupPlaces,
} from "../../../../src/inference/host/memory-limit.js";
import { parseStatus } from "../../../../src/inference/host/process-memory.js";

const MIB = 1024 * 1024;
let root: string;
let trees = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rankmill-cgroup-"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A tree of control groups; paths are below the mount. */
async function cgroups(self: string, files: Record<string, string>): Promise<CgroupPlaces> {
  trees += 1;
  const mount = join(root, String(trees));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(mount, path)), { recursive: true });
    await writeFile(join(mount, path), text);
  }
  const selfCgroup = join(mount, "self");
  await mkdir(mount, { recursive: true });
  await writeFile(selfCgroup, self);
  return { mount, selfCgroup };
}

describe("the memory limit", () => {
  it("is what the operator says, before anything else", async () => {
    const places = await cgroups("0::/\n", { "memory.max": "1000000\n" });
    expect(await memoryLimit(5, places)).toEqual({ bytes: 5, source: "option" });
  });

  it("is a container's under cgroup v2, whose own group is the mount", async () => {
    const places = await cgroups("0::/\n", {
      "memory.max": `${64 * MIB}\n`,
      "memory.high": "max\n",
    });
    expect(await memoryLimit(undefined, places)).toEqual({ bytes: 64 * MIB, source: "cgroup v2" });
  });

  it("is the tightest of the group and its parents", async () => {
    const places = await cgroups("0::/a/b\n", {
      "a/b/memory.max": `${64 * MIB}\n`,
      "a/memory.max": `${32 * MIB}\n`,
      "memory.max": "max\n",
    });
    expect((await memoryLimit(undefined, places)).bytes).toBe(32 * MIB);
  });

  it("is a container's under cgroup v1, whose path is the host's", async () => {
    const places = await cgroups("9:cpu:/docker/abc\n4:memory:/docker/abc\n0::/docker/abc\n", {
      "memory/memory.limit_in_bytes": `${48 * MIB}\n`,
    });
    expect(await memoryLimit(undefined, places)).toEqual({ bytes: 48 * MIB, source: "cgroup v1" });
  });

  it("is a tenth less if the kernel kills the whole group for one process", async () => {
    const limited = { "memory.max": `${100 * MIB}\n`, "memory.high": "max\n" };
    const whole = await cgroups("0::/\n", { ...limited, "memory.oom.group": "1\n" });
    expect(await memoryLimit(undefined, whole)).toEqual({
      bytes: 90 * MIB,
      source: "cgroup v2",
      killedWhole: true,
    });
    expect(await memoryLimit(5, whole)).toEqual({ bytes: 5, source: "option" });
    const one = await cgroups("0::/\n", { ...limited, "memory.oom.group": "0\n" });
    expect(await memoryLimit(undefined, one)).toEqual({ bytes: 100 * MIB, source: "cgroup v2" });
  });

  it("is what the host has if no group limits it", async () => {
    const places = await cgroups("4:memory:/\n0::/\n", {
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory.max": "max\n",
    });
    const { bytes, source } = await memoryLimit(undefined, places);
    expect(source).toBe("host");
    expect(bytes).toBeGreaterThan(MIB);
    expect(Number.isFinite(bytes)).toBe(true);
  });
});

describe("kills by the kernel", () => {
  it("are counted under both versions, and unknown without either", async () => {
    const v2 = await cgroups("0::/\n", { "memory.events": "low 0\noom 3\noom_kill 2\n" });
    const v1 = await cgroups("4:memory:/\n", {
      "memory/memory.oom_control": "under_oom 0\noom_kill 7\n",
    });
    expect(await oomKills(v2)).toBe(2);
    expect(await oomKills(v1)).toBe(7);
    expect(await oomKills(await cgroups("", {}))).toBeUndefined();
  });
});

describe("a process's own memory", () => {
  it("leaves mapped files out, and its peak is never too small", () => {
    const status = "VmHWM:\t  900 kB\nVmRSS:\t  700 kB\nRssAnon:\t  300 kB\nRssFile:\t  400 kB\n";
    expect(parseStatus(status)).toEqual({ privateBytes: 300 * 1024, peakBytes: 500 * 1024 });
    expect(parseStatus("Name:\tnode\n")).toBeUndefined();
  });
});
