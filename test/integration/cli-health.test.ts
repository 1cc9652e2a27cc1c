import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import { BUILTIN, type CliExit } from "../support/cli.js";
import { dist } from "../support/dist.js";
import { useFleet } from "../support/fleet.js";
import { lanesOf } from "../support/processes.js";
import { until } from "../support/until.js";
import { given, longTests, realRedis, visibleProcesses } from "../support/needs.js";

const fleet = useFleet();
let file: string;

beforeEach(() => {
  file = fleet.bench.path("health.json");
});

const health = (): Promise<CliExit> => fleet.ask(["health", "--health-file", file]);
const healthByItself = (): Promise<CliExit> => fleet.run(["health", "--health-file", file]);
const worker = () =>
  fleet.bench.worker(["--model", BUILTIN, "--lanes", "1", "--health-file", file]);

async function untilHealth(says: string, code: number): Promise<void> {
  let last: CliExit | undefined;
  await until(
    `health exits ${code} and says "${says}"`,
    async () => {
      last = await health();
      return last.code === code && last.stdout.includes(says);
    },
    () => last?.stdout ?? "",
  );
}

describe("rankmill health", () => {
  it("health is 0 from the moment that a worker is ready until it stops", async () => {
    expect(await healthByItself()).toMatchObject({ code: 1 });
    const running = await worker();
    const fit = await healthByItself();
    expect(fit.stdout).toContain("fit: 1 lanes, 0 jobs in hand");
    expect(fit.code).toBe(0);
    running.signal("SIGTERM");
    expect(await running.exited).toMatchObject({ code: 0 });
    const gone = await health();
    expect(gone.stdout).toContain("no worker says that it is ready");
    expect(gone.code).toBe(1);
  });

  it("the small program that containers ask gives the same answer as the command", async () => {
    const program = join(dist, "workers/health.js");
    const ask = () =>
      spawnSync(process.execPath, [program], {
        env: { RANKMILL_HEALTH_FILE: file },
        encoding: "utf8",
      });
    expect(ask()).toMatchObject({ status: 1 });
    await worker();
    const answer = "fit: 1 lanes, 0 jobs in hand, 0 waiting";
    expect((await health()).stdout).toContain(answer);
    expect(ask().stdout).toContain(answer);
    expect(ask()).toMatchObject({ status: 0 });
  });

  it("health names a worker that stands still", async () => {
    const running = await worker();
    await running.freeze();
    await untilHealth("last gave a sign of life", 1);
    running.signal("SIGCONT");
    await untilHealth("fit: 1 lanes", 0);
  });

  it(
    "health names a Redis that is gone, and forgets it once it is back",
    given(realRedis),
    async () => {
      await worker();
      await fleet.server.kill();
      await untilHealth("Redis has not answered", 1);
      await fleet.server.startAgain();
      await untilHealth("fit: 1 lanes", 0);
    },
  );

  it(
    "health names a crash loop of the lanes, with its reason",
    given(visibleProcesses, longTests),
    async () => {
      const running = await worker();
      // Every lane is killed as soon as it is ready, before it can answer anything.
      const killed = new Set<number>();
      let last: CliExit | undefined;
      await until(
        "health names the crash loop",
        async () => {
          const lane = lanesOf(running.pid).find(({ pid }) => !killed.has(pid));
          if (lane !== undefined && running.stdout.includes(`"lanePid":${lane.pid}`)) {
            process.kill(lane.pid, "SIGKILL");
            killed.add(lane.pid);
          }
          last = await health();
          return last.stdout.includes("1 of 1 lanes die again and again: killed by SIGKILL");
        },
        () => last?.stdout ?? "",
      );
      expect(last?.code).toBe(1);
      expect(running.running).toBe(true);
    },
  );

  it("a worker that cannot write its health file does not start", async () => {
    const args = ["worker", "--model", BUILTIN, "--lanes", "1"];
    const exit = await fleet.ask([...args, "--health-file", fleet.bench.path("no/where.json")]);
    expect(exit.stderr).toContain("--health-file");
    expect(exit.code).toBe(2);
  });

  it("health asks for the file if none is named", async () => {
    const exit = await fleet.ask(["health"]);
    expect(exit.stderr).toContain("--health-file is missing");
    expect(exit.code).toBe(2);
  });
});
