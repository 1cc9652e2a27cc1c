/**
 * Real servers, real guardians, real kills. Processes are watched through /proc, and everything runs
 * from dist/, which `npm test` builds first.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findServerPrograms } from "../../src/redis/private-server/private-redis-candidates.js";
import {
  type PrivateRedis,
  type PrivateRedisOptions,
  startPrivateRedis,
} from "../../src/redis/private-server/private-redis.js";
import { given, realRedis } from "../support/needs.js";
import { until } from "../support/until.js";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const guardianPath = join(dist, "workers/redis-guardian.js");
const searchPath = process.env["PATH"] ?? "";
const programs = await findServerPrograms(searchPath, () => undefined);
const kinds = programs.length > 0 ? (["redis-server", "js"] as const) : (["js"] as const);

let tempFolder: string;
let warnings: string[];
const servers: PrivateRedis[] = [];
const commands: ChildProcess[] = [];

beforeEach(async () => {
  tempFolder = await realpath(await mkdtemp(join(tmpdir(), "rm-test-")));
  warnings = [];
});

afterEach(async () => {
  for (const command of commands.splice(0)) command.kill("SIGKILL");
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await until("nothing runs in the test's folder", () => runningIn(tempFolder).length === 0);
  await rm(tempFolder, { recursive: true, force: true });
});

async function start(options: Partial<PrivateRedisOptions> = {}): Promise<PrivateRedis> {
  const server = await startPrivateRedis({
    guardianPath,
    searchPath,
    tempFolder,
    onWarning: (line) => warnings.push(line),
    ...options,
  });
  servers.push(server);
  return server;
}

async function ping(path: string): Promise<string> {
  const redis = new Redis({ path, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    return await redis.ping();
  } finally {
    redis.disconnect();
  }
}

interface ProcessEntry {
  pid: number;
  ppid: number;
  commandLine: string;
}

/** Every process of the machine that has not ended; one that nobody has reaped yet has. */
function processes(): ProcessEntry[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") return [];
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return [{ pid: Number(name), ppid: Number(ppid), commandLine }];
    } catch {
      return [];
    }
  });
}

function isRunning(pid: number): boolean {
  return processes().some((entry) => entry.pid === pid);
}

/** Servers and watchers: they name their folder in their command lines. */
function runningIn(folder: string): ProcessEntry[] {
  return processes().filter(({ commandLine }) => commandLine.includes(folder));
}

function guardianOf(parentPid: number): number {
  const guardians = processes().filter(
    ({ ppid, commandLine }) =>
      ppid === parentPid && commandLine.startsWith("rankmill-redis-guardian"),
  );
  expect(guardians).toHaveLength(1);
  return guardians[0]?.pid ?? 0;
}

/** The guardian of a process and all that it started: with a real server that is three of them. */
function familyOf(parentPid: number): number[] {
  const guardian = guardianOf(parentPid);
  const children = processes().filter(({ ppid }) => ppid === guardian);
  return [guardian, ...children.map(({ pid }) => pid)];
}

/** Waits until the processes have ended and the folder is removed; returns how many there were. */
async function allGone(pids: readonly number[], folder: string): Promise<number> {
  await until("processes and folder are gone", () => !pids.some(isRunning) && !existsSync(folder));
  return pids.length;
}

/**
 * A command of its own in a process group of its own, as a shell would start it: prints the
 * server's socket, notes signals, and does what it reads.
 */
async function startCommand(
  kind: "redis-server" | "js",
): Promise<{ command: ChildProcess; pid: number; path: string; lines: AsyncIterator<string> }> {
  const script = join(tempFolder, "command.mjs");
  const library = pathToFileURL(join(dist, "src/redis/private-server/private-redis.js")).href;
  await writeFile(
    script,
    `import { startPrivateRedis } from ${JSON.stringify(library)};
     import { createInterface } from "node:readline";
     for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
       process.on(signal, () => console.log(signal));
     const server = await startPrivateRedis(${JSON.stringify({ kind, guardianPath, searchPath, tempFolder })});
     console.log(server.connection.path);
     for await (const line of createInterface({ input: process.stdin })) {
       if (line === "stop") { await server.stop(); console.log("stopped"); }
       if (line === "exit") process.exit(1);
       if (line === "leave") { process.stdin.destroy(); break; }
     }`,
  );
  const command = spawn(process.execPath, [script], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  commands.push(command);
  if (command.stdout === null || command.pid === undefined) throw new Error("not started");
  const lines = createInterface({ input: command.stdout })[Symbol.asyncIterator]();
  const path = await next(lines);
  return { command, pid: command.pid, path, lines };
}

async function next(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error("the command ended");
  return value;
}

/** Programs that stand on a PATH of their own; returns that PATH. */
async function putPrograms(scripts: Record<string, string>): Promise<string> {
  const folder = join(tempFolder, "bin");
  await mkdir(folder);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

describe.each(kinds)("a private %s", (kind) => {
  // The guardian alone, or with the server and the watcher.
  const familySize = kind === "js" ? 1 : 3;

  it("answers on a socket in a folder of its own and leaves nothing when it is stopped", async () => {
    const server = await start({ kind });
    const { path } = server.connection;
    expect(await ping(path)).toBe("PONG");
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(server.version).toMatch(/^\d+\.\d+/);
    expect(server.durable).toBe(kind === "redis-server");
    expect(server.note).toContain(server.version);
    expect(/not durable/.test(server.note)).toBe(kind === "js");
    expect(warnings).toEqual([]);

    const family = familyOf(process.pid);
    expect(family).toHaveLength(familySize);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(family.filter(isRunning)).toEqual([]);
    expect(existsSync(dirname(path))).toBe(false);
    expect(await server.exited).toMatchObject({ expected: true });
  });

  it("carries BullMQ jobs there and back", async () => {
    const { connection } = await start({ kind });
    const options = { connection: { ...connection, maxRetriesPerRequest: null } };
    const queue = new Queue<{ value: number }, number>("round-trip", options);
    const events = new QueueEvents("round-trip", options);
    const worker = new Worker<{ value: number }, number>(
      "round-trip",
      async (job) => job.data.value * 2,
      { ...options, concurrency: 8 },
    );
    try {
      await events.waitUntilReady();
      const jobs = await queue.addBulk(
        Array.from({ length: 8 }, (_, value) => ({ name: "double", data: { value } })),
      );
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
      expect(results).toEqual(Array.from({ length: 8 }, (_, value) => value * 2));
    } finally {
      await Promise.all([worker.close(), events.close(), queue.close()]);
    }
  });

  it("dies with a command that is killed, and its folder goes too", async () => {
    const { command, pid, path } = await startCommand(kind);
    const family = familyOf(pid);
    command.kill("SIGKILL");
    expect(await allGone(family, dirname(path))).toBe(familySize);
  });

  it.each(["exit", "leave"])(
    "dies with a command that ends by '%s' without stopping it",
    async (how) => {
      const { command, pid, path } = await startCommand(kind);
      const family = familyOf(pid);
      const exited = once(command, "exit");
      command.stdin?.write(`${how}\n`);
      await exited;
      expect(await allGone(family, dirname(path))).toBe(familySize);
    },
  );

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "outlives %s to the command's process group and to its guardian until it is stopped",
    async (signal) => {
      const { command, pid, path, lines } = await startCommand(kind);
      const family = familyOf(pid);
      process.kill(-pid, signal);
      expect(await next(lines)).toBe(signal);
      process.kill(guardianOf(pid), signal);
      expect(await ping(path)).toBe("PONG");
      expect(family.every(isRunning)).toBe(true);
      command.stdin?.write("stop\n");
      expect(await next(lines)).toBe("stopped");
      expect(family.filter(isRunning)).toEqual([]);
      expect(existsSync(dirname(path))).toBe(false);
    },
  );

  it("is gone, and the command told, when its guardian is killed", async () => {
    const server = await start({ kind });
    const family = familyOf(process.pid);
    process.kill(guardianOf(process.pid), "SIGKILL");
    expect(await server.exited).toEqual({
      expected: false,
      reason: expect.stringContaining("SIGKILL") as string,
    });
    expect(await allGone(family, dirname(server.connection.path))).toBe(familySize);
    await server.stop();
  });

  it("is gone when command and guardian are killed together", async () => {
    const { pid } = await startCommand(kind);
    const family = familyOf(pid);
    for (const victim of [guardianOf(pid), pid]) process.kill(victim, "SIGSTOP");
    for (const victim of [guardianOf(pid), pid]) process.kill(victim, "SIGKILL");
    await until("guardian, server and watcher are gone", () => !family.some(isRunning));
    expect(family.filter(isRunning)).toEqual([]);
  });
});

describe("a private redis-server", given(realRedis), () => {
  it("tells how it died and takes its guardian along", async () => {
    const server = await start({ kind: "redis-server" });
    const family = familyOf(process.pid);
    const folder = dirname(server.connection.path);
    const redis = runningIn(folder).find(({ commandLine }) => commandLine.includes("unixsocket"));
    if (redis === undefined) throw new Error(`no redis-server in ${folder}`);
    process.kill(redis.pid, "SIGKILL");
    expect(await server.exited).toEqual({ expected: false, reason: "it was killed by SIGKILL" });
    expect(await allGone(family, folder)).toBe(3);
  });

  it("keeps an append-only file, evicts nothing and listens on no port", async () => {
    const { connection } = await start({ kind: "auto" });
    const redis = new Redis(connection);
    try {
      expect(await redis.config("GET", "port")).toEqual(["port", "0"]);
      expect(await redis.config("GET", "save")).toEqual(["save", ""]);
      const info = await redis.info();
      expect(info).toContain("aof_enabled:1");
      expect(info).toContain("maxmemory_policy:noeviction");
    } finally {
      redis.disconnect();
    }
  });

  it("removes the folder even if command and guardian are killed together", async () => {
    const { pid, path } = await startCommand("redis-server");
    const family = familyOf(pid);
    for (const victim of [guardianOf(pid), pid]) process.kill(victim, "SIGKILL");
    expect(await allGone(family, dirname(path))).toBe(3);
  });
});

describe("the choice of a private Redis", () => {
  const passesVersion = 'if [ "$1" = --version ]; then echo "Redis server v=7.2.0"; exit 0; fi';

  it("is js-redis-server if no program is on the path", async () => {
    const server = await start({ searchPath: "" });
    expect(server.implementation).toBe("js-redis-server");
    expect(await ping(server.connection.path)).toBe("PONG");
  });

  it("goes on to the next candidate if a program does not start, and says why", async () => {
    const path = await putPrograms({
      "redis-server": `${passesVersion}\necho "cannot bind" >&2; exit 1`,
      "valkey-server": "exit 1",
    });
    const server = await start({ searchPath: path });
    expect(server.implementation).toBe("js-redis-server");
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("valkey-server");
    expect(warnings[1]).toContain("redis-server could not be started");
    expect(warnings[1]).toContain("cannot bind");
  });

  it("fails with the server's last lines if there is no other candidate", async () => {
    const path = await putPrograms({
      "redis-server": `${passesVersion}\necho "cannot bind" >&2; exit 1`,
    });
    await expect(start({ kind: "redis-server", searchPath: path })).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringMatching(/exited with code 1.*cannot bind/) as string,
    });
    expect(readdirSync(tempFolder)).toEqual(["bin"]);
  });

  it("gives up on a server that never answers and leaves nothing of it", async () => {
    const path = await putPrograms({
      "redis-server": `${passesVersion}\necho "still loading" >&2; exec sleep 600`,
    });
    const failed = start({ kind: "redis-server", searchPath: path, startDeadlineMs: 5_000 });
    await expect(failed).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringMatching(/5000 ms.*still loading/) as string,
    });
    expect(readdirSync(tempFolder)).toEqual(["bin"]);
  });

  it("names what to install if nothing is there", async () => {
    await expect(start({ kind: "redis-server", searchPath: "" })).rejects.toMatchObject({
      code: "missing_dependency",
    });
    // A copy of the guardian if no node_modules is in reach.
    const copy = join(tempFolder, "copy");
    await cp(join(dist, "src"), join(copy, "src"), { recursive: true });
    await cp(join(dist, "workers"), join(copy, "workers"), { recursive: true });
    await writeFile(join(copy, "package.json"), '{"type":"module"}');
    const failed = start({
      searchPath: "",
      guardianPath: pathToFileURL(join(copy, "workers/redis-guardian.js")),
    });
    await expect(failed).rejects.toMatchObject({
      code: "missing_dependency",
      message: expect.stringMatching(/REDIS_URL.*redis-server.*js-redis-server/) as string,
    });
  });

  it("fails in one line if the guardian cannot be started", async () => {
    await expect(
      start({ searchPath: "", guardianPath: join(tempFolder, "missing.js") }),
    ).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining("missing.js") as string,
    });
  });
});
