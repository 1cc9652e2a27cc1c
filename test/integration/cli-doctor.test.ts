/** `rankmill doctor` as a user runs it, on real servers with good and with bad settings. */
import { chmod, mkdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { LEVELS } from "../../src/app/doctor/finding.js";
import { Bench, BERT, BUILTIN, words, type CliExit } from "../support/cli.js";
import { given, longTests, ordinaryUser, realRedis } from "../support/needs.js";
import { freePort, TestRedis } from "../support/redis-server.js";

const MIB = 1024 * 1024;

const reportSchema = z.object({
  worst: z.enum(LEVELS),
  findings: z.array(
    z.object({
      check: z.string(),
      level: z.enum(LEVELS),
      said: z.string(),
      remedy: z.string().optional(),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

const EXIT_OF = { ok: 0, note: 0, warning: 6, problem: 1 } as const;

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

async function examine(
  args: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Report & { code: number | null }> {
  const exit = await bench.ask(["doctor", "--json", ...words(args)], env);
  return { ...reportSchema.parse(JSON.parse(exit.stdout)), code: exit.code };
}

function found(report: Report, check: string): string {
  const first = report.findings.find((one) => one.check === check);
  return `${first?.level ?? "absent"}: ${first?.said ?? ""}`;
}

function levelsOf({ findings }: Report): Record<string, string> {
  return Object.fromEntries(findings.map(({ check, level }) => [check, level]));
}

/** Every finding says what to do, and nothing is wider than a terminal. */
function expectReadable({ stdout, code }: CliExit): void {
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  const heads = stdout.split("\n").filter((line) => /^(note|warning|problem) /.test(line));
  expect(stdout.split("→").length - 1).toBe(heads.length);
  expect(code).toBe(heads.some((line) => line.startsWith("problem")) ? 1 : 6);
}

describe("rankmill doctor without a Redis", () => {
  it("examines the machine and the model, and scores a pair", async () => {
    const report = await examine(`--model ${BERT}`);
    expect(levelsOf(report)).toMatchObject({ redis: "note", memory: "ok", "scored-pair": "ok" });
    expect(found(report, "scored-pair")).toMatch(/scored a pair: -?\d+\.\d{4}/);
    expect(report.findings.map(({ check }) => check)).not.toContain("redis-version");
  });

  it("finds too little memory for the model before a worker does", async () => {
    const report = await examine(`--model ${BERT} --memory-limit-bytes ${64 * MIB}`);
    expect(found(report, "memory")).toMatch(/^problem: the memory limit of 64 MiB \(option\)/);
    expect(report.code).toBe(1);
  });

  it("tells what to do about a missing model, and examines the rest", async () => {
    const report = await examine("--model no-such-model");
    expect(found(report, "model")).toMatch(/^problem: .*no-such-model/);
    expect(levelsOf(report)).toHaveProperty("disk");
    expect(report.code).toBe(1);
  });

  it("reports a Redis that does not answer, and examines the rest", async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const exit = await bench.run(["doctor", "--model", BUILTIN], { env: { REDIS_URL: url } });
    expect(exit.stdout).toMatch(/^problem {2}redis .*cannot use Redis/m);
    expect(exit.stdout).toMatch(/^ok {7}scored-pair/m);
    expectReadable(exit);
  });

  // Root may write anywhere.
  it("finds a folder that may not be written", given(ordinaryUser), async () => {
    const folder = bench.path("read-only");
    await mkdir(folder);
    await chmod(folder, 0o555);
    const report = await examine(`--model ${BUILTIN} --prepared-dir ${folder}`);
    expect(found(report, "disk")).toBe(
      `warning: the folder of prepared models, ${folder}, may not be written`,
    );
  });
});

describe("rankmill doctor on a real Redis", given(realRedis), () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    const client = redis.client();
    await client.config("SET", "maxmemory", String(1024 * MIB));
  });
  afterEach(() => redis.close());

  const withRedis = () => ({ REDIS_URL: redis.url });

  it("finds nothing to do if all is well, and leaves nothing behind", async () => {
    const report = await examine(`--model ${BUILTIN}`, withRedis());
    // Findings that depend on how busy and how full this machine is may be anything.
    const {
      "redis-latency": _latency,
      disk: _disk,
      "open-files": _files,
      ...sure
    } = levelsOf(report);
    const { "fleet-pair": fleet, ...others } = sure;
    expect(fleet).toBe("note");
    expect(Object.entries(others).filter(([, level]) => level !== "ok")).toEqual([]);
    expect(report.code).toBe(EXIT_OF[report.worst]);
    expect(await redis.client().keys("*")).toEqual([]);
  });

  it("finds bad settings, each with what to do, in 80 columns", async () => {
    const client = redis.client();
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    await client.config("SET", "appendonly", "no");
    await client.config("SET", "maxmemory", String(40 * MIB));
    const report = await examine(`--model ${BUILTIN}`, withRedis());
    expect(levelsOf(report)).toMatchObject({
      "redis-policy": "problem",
      "redis-persistence": "warning",
      "redis-memory": "warning",
      "redis-version": "ok",
    });
    expect(report.code).toBe(1);
    expectReadable(await bench.ask(["doctor", "--model", BUILTIN], withRedis()));
  });

  it("ends with 6 if warnings are the worst", given(longTests), async () => {
    await redis.client().config("SET", "appendonly", "no");
    const report = await examine(`--model ${BUILTIN}`, withRedis());
    expect(report).toMatchObject({ worst: "warning", code: 6 });
  });

  it("names the commands that a user may not run, and the line that grants them", async () => {
    const client = redis.client();
    const user = ["on", ">secret", "~rankmill:*", "&rankmill:*", "+@all", "-xadd", "-publish"];
    await client.call("ACL", "SETUSER", "small", ...user);
    const url = redis.url.replace("redis://", "redis://small:secret@");
    const report = await examine(`--model ${BUILTIN}`, { REDIS_URL: url });
    expect(found(report, "redis-rights")).toBe(
      "problem: small may not run XADD, PUBLISH on rankmill:*",
    );
    const remedy = report.findings.find(({ check }) => check === "redis-rights")?.remedy;
    expect(remedy).toMatch(/^ACL SETUSER small .*\+xadd \+publish$/);
    await client.call("ACL", "SETUSER", "small", "+xadd", "+publish");
    const again = await examine(`--model ${BUILTIN}`, { REDIS_URL: url });
    expect(found(again, "redis-rights")).toMatch(/^ok/);
    expect(JSON.stringify(again), "no secret is shown").not.toContain("secret");
  });

  it("finds a replica and names its master", async () => {
    await redis.client().call("REPLICAOF", "127.0.0.1", "1");
    const report = await examine(`--model ${BUILTIN}`, withRedis());
    expect(found(report, "redis")).toMatch(
      /^problem: cannot use Redis at .*: it is a replica, which takes no writes: give the address of the primary .*127\.0\.0\.1:1\)$/,
    );
    expect(report.code).toBe(1);
  });

  it("has a job ranked by a worker of the fleet", async () => {
    const worker = await bench.worker(["--model", BUILTIN, "--lanes", "1"], { env: withRedis() });
    const report = await examine(`--model ${BUILTIN}`, withRedis());
    expect(found(report, "fleet-pair")).toMatch(/^ok: one of 1 workers ranked a job in \d+ ms$/);
    worker.signal("SIGTERM");
    await worker.exited;
  });
});
