/** Deaths in the middle of real work, each timed until work goes on. */
import type { RunningCli } from "../../support/cli.js";
import { lanesOf } from "../../support/processes.js";
import { resultKeys } from "../../support/queue-view.js";
import { SLOW, waitFor, type Stage } from "../kills/stage.js";

/** A worker that has jobs in hand, which from then on are known for its own. */
async function startWorker(stage: Stage, more: readonly string[] = []): Promise<RunningCli> {
  const worker = await stage.processes.worker([...SLOW, ...more]);
  await waitFor("it has work in hand", async () => (await stage.jobsOf(worker)).length > 0);
  return worker;
}

async function timed(what: string, condition: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  await waitFor(what, condition);
  return (performance.now() - startedMs) / 1_000;
}

function nextResult(stage: Stage, before: number): () => Promise<boolean> {
  return async () => (await resultKeys(stage.redis)).size > before;
}

async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < times; i += 1) seconds.push(await measure());
  return seconds;
}

export async function killedWorker(stage: Stage, times: number): Promise<number[]> {
  await stage.submit();
  const workers = [await startWorker(stage), await startWorker(stage)];
  return await repeat(times, async () => {
    const victim = workers.shift();
    if (victim === undefined) throw new Error("no worker is left");
    await stage.freezeAtWork(victim);
    const held = await stage.jobsOf(victim);
    await stage.kill(victim);
    const seconds = await timed("its jobs are done", async () => {
      const done = await resultKeys(stage.redis);
      return held.every((jobId) => done.has(jobId));
    });
    workers.push(await startWorker(stage));
    return seconds;
  });
}

export async function restartedRedis(stage: Stage, times: number): Promise<number[]> {
  const { server, redis } = stage;
  await stage.submit();
  const worker = await startWorker(stage);
  return await repeat(times, async () => {
    await stage.freezeAtWork(worker);
    const before = (await resultKeys(redis)).size;
    await server.kill();
    worker.signal("SIGCONT");
    await worker.says("ECONNREFUSED");
    const startedMs = performance.now();
    await server.startAgain();
    await waitFor("the next result is there", nextResult(stage, before));
    return (performance.now() - startedMs) / 1_000;
  });
}

export async function killedLane(stage: Stage, times: number): Promise<number[]> {
  await stage.submit();
  const worker = await startWorker(stage);
  return await repeat(times, async () => {
    await waitFor("a lane is at work", async () => {
      return await Promise.resolve(lanesOf(worker.pid).length > 0);
    });
    await stage.freezeAtWork(worker);
    const before = (await resultKeys(stage.redis)).size;
    for (const { pid } of lanesOf(worker.pid)) process.kill(pid, "SIGKILL");
    worker.signal("SIGCONT");
    return await timed("the next result is there", nextResult(stage, before));
  });
}

export async function handOver(stage: Stage, times: number): Promise<number[]> {
  await stage.submit();
  return await repeat(times, async () => {
    const worker = await startWorker(stage, ["--drain-timeout", "0"]);
    await stage.freezeAtWork(worker);
    worker.signal("SIGTERM");
    worker.signal("SIGCONT");
    return await timed("nobody holds its jobs", async () => {
      return (await stage.jobsOf(worker)).length === 0;
    });
  });
}
