import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { multiply, readRankings, writeRecords } from "../support/records.js";
import {
  Compose,
  docker,
  dockerAnswers,
  healthOf,
  IMAGE,
  inspect,
  logsOf,
  SAMPLE,
  until,
} from "./support/docker.js";

const REPLICAS = 4;
const JOBS = 2_000;
/** Records, of the sample's 54. */
const COPIES = Math.ceil(JOBS / 54);

/** Jobs that a replica says it has done, all its life. */
async function doneBy(container: string): Promise<number> {
  return (await logsOf(container)).split(`"msg":"job done"`).length - 1;
}

async function doneByAll(workers: readonly string[]): Promise<number> {
  return (await Promise.all(workers.map(doneBy))).reduce((sum, done) => sum + done, 0);
}

/** One project for all of it, in the order of a fleet's life; each test leaves four at work. */
describe.skipIf(!dockerAnswers)("a fleet from docker-compose.yml", () => {
  let folder: string;
  let fleet: Compose;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rankmill-fleet-"));
    chmodSync(folder, 0o777);
    fleet = new Compose(`rankmill-test-${process.pid}`, {
      RANKMILL_IMAGE: IMAGE,
      RANKMILL_DATA: folder,
      RANKMILL_MODELS: folder,
      RANKMILL_LOG_LEVEL: "debug",
      // Four replicas side by side on the smallest machine.
      RANKMILL_CPUS: "0.5",
      RANKMILL_MEM_LIMIT: "1g",
    });
    await scale();
  });
  afterAll(async () => {
    await fleet.down();
    rmSync(folder, { recursive: true, force: true });
  });

  async function scale(): Promise<void> {
    await fleet.run("up", "-d", "--no-build", "--scale", `worker=${REPLICAS}`);
    await until("all workers are healthy", async () => {
      const workers = await fleet.containers("worker");
      const states = await Promise.all(workers.map(healthOf));
      return states.length === REPLICAS && states.every((state) => state === "healthy");
    });
  }

  /** Submits queries that no other run has, waits, and gives the ids of what was ranked. */
  async function rerank(run: string, output = `${run}.jsonl`): Promise<string[]> {
    const records = multiply(SAMPLE, COPIES).slice(0, JOBS);
    const own = records.map((record) => ({
      ...record,
      query: `${String(record["query"])} ${run}`,
    }));
    writeRecords(join(folder, `${run}.in.jsonl`), own);
    const args = ["--input", `${run}.in.jsonl`, "--run", run, "--output", output];
    await fleet.run("run", "--rm", "-T", "submit", ...args);
    return readRankings(join(folder, output)).map(({ id }) => id);
  }

  /** The same as `rerank`, and `meanwhile` happens once some of it is done. */
  async function rerankAnd(run: string, meanwhile: () => Promise<void>): Promise<string[]> {
    const workers = await fleet.containers("worker");
    const before = await doneByAll(workers);
    const ranked = rerank(run);
    await until("a tenth is done", async () => (await doneByAll(workers)) > before + JOBS / 10);
    await meanwhile();
    return await ranked;
  }

  it("shares one run among all its replicas", async () => {
    expect(new Set(await rerank("shared")).size).toBe(JOBS);
    const workers = await fleet.containers("worker");
    const shares = await Promise.all(workers.map(doneBy));
    process.stderr.write(`jobs done by each replica: ${shares.join(", ")}\n`);
    expect(shares).toHaveLength(REPLICAS);
    // A replica that is starved past its lock has a job attempted twice; it is seen once all the same.
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(JOBS);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(JOBS / 10);
  });

  it("loses nothing if a replica is killed in the middle", async () => {
    const [victim = ""] = await fleet.containers("worker");
    const ids = await rerankAnd("killed", async () => {
      await docker(["kill", "--signal=KILL", victim]);
    });
    expect(ids).toHaveLength(JOBS);
    expect(new Set(ids).size).toBe(JOBS);
    await scale();
  });

  it("drains a replica that is stopped in the middle, and loses nothing", async () => {
    const [stopped = ""] = await fleet.containers("worker");
    const ids = await rerankAnd("drained", async () => {
      await docker(["stop", "--time=40", stopped]);
      expect(await inspect(stopped, "{{.State.ExitCode}}")).toBe("0");
      expect(await logsOf(stopped)).toContain(`"msg":"stopped"`);
    });
    expect(new Set(ids).size).toBe(JOBS);
    await scale();
  });

  it("goes on with a run whose runner is killed in the middle", async () => {
    const [runner = ""] = await fleet.containers("runner");
    const ids = await rerankAnd("run-on", async () => {
      await docker(["kill", "--signal=KILL", runner]);
      await fleet.run("up", "-d", "--no-build", "--scale", `worker=${REPLICAS}`);
    });
    expect(ids).toHaveLength(JOBS);
    expect(new Set(ids).size).toBe(JOBS);
  });

  it("turns unhealthy without Redis, and healthy on its return with all that it held", async () => {
    const workers = await fleet.containers("worker");
    await fleet.run("rm", "--stop", "--force", "redis");
    await until(
      "a worker is unhealthy",
      async () => (await healthOf(workers[0] ?? "")) === "unhealthy",
    );
    await scale();
    expect(await fleet.containers("worker")).toEqual(workers);
    // The same run: every ranking is there already, and no worker does it again.
    const before = await doneByAll(workers);
    expect(new Set(await rerank("shared", "again.jsonl")).size).toBe(JOBS);
    expect(await doneByAll(workers)).toBe(before);
  });
});
