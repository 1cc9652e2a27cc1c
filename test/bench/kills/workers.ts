/** Workers, lanes and Redis killed, and a worker frozen until others have done its work. */
import type { RunningCli } from "../../support/cli.js";
import { resultKeys } from "../../support/queue-view.js";
import { lanesOf } from "../../support/processes.js";
import { OUTPUT, sayKill, SLOW, waitFor, type Disturbed, type Stage } from "./stage.js";

/** A run submitted to Redis, disturbed `times` at random moments until its results are written. */
async function disturbRun(
  stage: Stage,
  run: string,
  times: number,
  disturb: () => Promise<number>,
): Promise<number[]> {
  const { processes, redis } = stage;
  const inHand: number[] = [];
  for (const moment of stage.moments(times)) {
    await waitFor("the run is that far", async () => (await resultKeys(redis)).size >= moment);
    inHand.push(await disturb());
    sayKill(inHand.length, times, inHand.at(-1) ?? 0);
  }
  const exit = await processes.run(["results", run, "--wait", "--output", OUTPUT]);
  if (exit.code !== 0) throw new Error(exit.stderr);
  return inHand;
}

/** A worker that has jobs in hand, which from then on are known for its own; or finds none left. */
async function startWorker(stage: Stage): Promise<RunningCli> {
  const worker = await stage.processes.worker(SLOW);
  await waitFor("it has work in hand", async () => {
    if ((await stage.jobsOf(worker)).length > 0) return true;
    return (await resultKeys(stage.redis)).size === stage.records;
  });
  return worker;
}

/** One of two workers, each time the older. */
export async function killWorker(stage: Stage, times: number): Promise<Disturbed> {
  const run = await stage.submit();
  const workers = [await startWorker(stage), await startWorker(stage)];
  const inHand = await disturbRun(stage, run, times, async () => {
    const victim = workers.shift();
    if (victim === undefined) throw new Error("no worker is left");
    const held = await stage.freezeAtWork(victim);
    await stage.kill(victim);
    workers.push(await startWorker(stage));
    return held;
  });
  return { inHand, note: "" };
}

/** The lane of a worker that goes on. */
export async function killLane(stage: Stage, times: number): Promise<Disturbed> {
  const run = await stage.submit();
  const worker = await startWorker(stage);
  const inHand = await disturbRun(stage, run, times, async () => {
    await waitFor("a lane is at work", () => lanesOf(worker.pid).length > 0);
    const held = await stage.freezeAtWork(worker);
    for (const { pid } of lanesOf(worker.pid)) process.kill(pid, "SIGKILL");
    worker.signal("SIGCONT");
    return held;
  });
  return { inHand, note: "" };
}

/** Redis itself; its append-only file is all that stays. */
export async function killRedis(stage: Stage, times: number): Promise<Disturbed> {
  const { server, redis } = stage;
  const run = await stage.submit();
  const worker = await startWorker(stage);
  const inHand = await disturbRun(stage, run, times, async () => {
    const held = await stage.freezeAtWork(worker);
    await server.kill();
    worker.signal("SIGCONT");
    await server.startAgain();
    // Its client must be back before the next look.
    await redis.ping();
    return held;
  });
  return { inHand, note: "" };
}

/**
 * A worker frozen with jobs in hand until another has done them, then woken: what it writes then
 * would replace the results, which are therefore marked meanwhile.
 */
export async function wakeZombie(stage: Stage, times: number): Promise<Disturbed> {
  const { redis } = stage;
  const run = await stage.submit();
  const workers = [await startWorker(stage), await startWorker(stage)];
  let overwritten = 0;
  const inHand = await disturbRun(stage, run, times, async () => {
    const zombie = workers.shift();
    if (zombie === undefined) throw new Error("no worker is left");
    await stage.freezeAtWork(zombie);
    const held = await stage.jobsOf(zombie);
    let keys = new Map<string, string>();
    await waitFor("what was in hand is done by the other", async () => {
      keys = await resultKeys(redis);
      return held.every((jobId) => keys.has(jobId));
    });
    const own = held.map((jobId) => keys.get(jobId) ?? "");
    const values = await redis.mget(own);
    await redis.mset(own.flatMap((key) => [key, mark(key)]));
    zombie.signal("SIGCONT");
    // Its end settles what may still be under way.
    zombie.signal("SIGTERM");
    await zombie.exited;
    const after = await redis.mget(own);
    overwritten += after.filter((value, i) => value !== mark(own[i] ?? "")).length;
    await redis.mset(own.flatMap((key, i) => [key, values[i] ?? ""]));
    workers.push(await startWorker(stage));
    return held.length;
  });
  return { inHand, note: `${overwritten} results overwritten` };
}

function mark(key: string): string {
  return `D{"mark":"${key}"}`;
}
