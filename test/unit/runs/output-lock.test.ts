import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockOutput } from "../../../src/runs/output-lock.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-lock-"));
  path = join(folder, "out.lock");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function heldBy(pid: number, host = hostname()): void {
  writeFileSync(path, JSON.stringify({ pid, host }));
}

describe("the lock of an output", () => {
  it("names its holder while it is held, and leaves nothing", async () => {
    const unlock = await lockOutput(path);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ pid: process.pid, host: hostname() });
    expect(readdirSync(folder)).toEqual(["out.lock"]);
    await unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is refused while another process lives that holds it", async () => {
    heldBy(process.ppid);
    await expect(lockOutput(path)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(`process ${process.ppid}`),
    });
    expect(readdirSync(folder)).toEqual(["out.lock"]);
  });

  it("is taken over from a process that is no more, and from a torn file", async () => {
    heldBy(spawnSync("true").pid);
    await (
      await lockOutput(path)
    )();
    writeFileSync(path, "");
    await (
      await lockOutput(path)
    )();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of another host is left alone", async () => {
    heldBy(1, "another-host");
    await expect(lockOutput(path)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(`delete ${path}`),
    });
  });
});
