import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  killServerOf,
  makePrivateFolder,
  removeFolder,
  writeServerConfig,
} from "../../../../src/redis/private-server/private-redis-folder.js";
import { given, visibleProcesses } from "../../../support/needs.js";

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "rm-folder-")));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe("a private server's folder", () => {
  it("is entered by its owner alone and lies in the folder that was asked for", async () => {
    const { folder, socketPath } = await makePrivateFolder(root);
    expect(dirname(folder)).toBe(root);
    expect(dirname(socketPath)).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("moves to /tmp if the path would be too long for a socket", async () => {
    const deep = join(root, "d".repeat(100));
    await mkdir(deep);
    const { folder, socketPath } = await makePrivateFolder(deep);
    expect(Buffer.byteLength(socketPath)).toBeLessThanOrEqual(103);
    expect(dirname(folder)).toBe(await realpath("/tmp"));
    await removeFolder(folder);
  });

  it("moves to /tmp if the folder asked for is missing", async () => {
    const { folder } = await makePrivateFolder(join(root, "missing"));
    expect(dirname(folder)).toBe(await realpath("/tmp"));
    await removeFolder(folder);
  });

  it("quotes its paths in the configuration", async () => {
    const odd = join(root, 'a "b" c');
    await mkdir(odd);
    const path = await writeServerConfig({ folder: odd, socketPath: join(odd, "s") });
    expect(await readFile(path, "utf8")).toContain(`dir "${root}/a \\"b\\" c"`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe("the end of a server that lost its guardian", given(visibleProcesses), () => {
  it("kills the process of that id only if it works in the folder", async () => {
    const inside = spawn("sleep", ["60"], { cwd: root, stdio: "ignore" });
    const outside = spawn("sleep", ["60"], { cwd: "/", stdio: "ignore" });
    await Promise.all([once(inside, "spawn"), once(outside, "spawn")]);
    try {
      await killServerOf(root, outside.pid);
      expect([inside.exitCode, outside.exitCode, outside.signalCode]).toEqual([null, null, null]);
      const gone = once(inside, "exit");
      await killServerOf(root, inside.pid);
      expect(await gone).toEqual([null, "SIGKILL"]);
      expect(outside.kill(0)).toBe(true);
    } finally {
      inside.kill("SIGKILL");
      outside.kill("SIGKILL");
    }
  });

  it("finds the server by its folder if its id was never told", async () => {
    const inside = spawn("sleep", ["60"], { cwd: root, stdio: "ignore" });
    await once(inside, "spawn");
    const gone = once(inside, "exit");
    await killServerOf(root, undefined);
    expect(await gone).toEqual([null, "SIGKILL"]);
  });
});
