/** Workers, lanes and Redis killed, and a worker frozen until others have done its work. */
import { resultKeys } from "../../support/queue-view.js";
import { heldJobs } from "../../support/queue-view.js";
import { lanesOf } from "../../support/processes.js";
import { OUTPUT, sayKill, SLOW, waitFor, type Disturbed, type Stage } from "./stage.js";

/** What each of these does when the run is `moment` records far. */
type Disturb = () => Promise<number>;

/** A run submitted to Redis, disturbed `times` at random moments until its results are written. */
async function disturbSubmitted(
  stage: Stage,
  times: number,
  disturb: Disturb,
  note: () => string = () => "",
): Promise<Disturbed> {
  const { processes, redis } = stage;
  const run = await stage.submit();
  const inHand: number[] = [];
  for (const moment of stage.moments(times)) {
    await waitFor("the run is that far", async () => (await resultKeys(redis)).size >= moment);
    inHand.push(await disturb());
    sayKill(inHand.length, times, inHand.at(-1) ?? 0);
  }
  const exit = await processes.run(["results", run, "--wait", "--output", OUTPUT]);
  if (exit.code !== 0) throw new Error(exit.stderr);
  return { inHand, note: note() };
}

/** One of two workers, each time the older. */
export async function killWorker(stage: Stage, times: number): Promise<Disturbed> {
  const { processes } = stage;
  const workers = [await processes.worker(SLOW), await processes.worker(SLOW)];
  return await disturbSubmitted(stage, times, async () => {
    const victim = workers.shift();
    if (victim === undefined) throw new Error("no worker is left");
    const held = await stage.freezeAtWork(victim);
    await stage.kill(victim);
    workers.push(await processes.worker(SLOW));
    return held;
  });
}

/** The lane of a worker that goes on. */
export async function killLane(stage: Stage, times: number): Promise<Disturbed> {
  const worker = await stage.processes.worker(SLOW);
  return await disturbSubmitted(stage, times, async () => {
    await waitFor("a lane is at work", () => lanesOf(worker.pid).length > 0);
    const held = await stage.freezeAtWork(worker);
    for (const { pid } of lanesOf(worker.pid)) process.kill(pid, "SIGKILL");
    worker.signal("SIGCONT");
    return held;
  });
}

/** Redis itself; its append-only file is all that stays. */
export async function killRedis(stage: Stage, times: number): Promise<Disturbed> {
  const { server, redis, processes } = stage;
  const worker = await processes.worker(SLOW);
  return await disturbSubmitted(stage, times, async () => {
    const held = await stage.freezeAtWork(worker);
    await server.kill();
    worker.signal("SIGCONT");
    await server.startAgain();
    // Its client must be back before the next look.
    await redis.ping();
    return held;
  });
}

/**
 * A worker frozen with jobs in hand until another has done them, then woken: what it writes then
 * would replace the results, which are therefore marked meanwhile.
 */
export async function wakeZombie(stage: Stage, times: number): Promise<Disturbed> {
  const { redis, processes } = stage;
  let workers = [await processes.worker(SLOW), await processes.worker(SLOW)];
  let overwritten = 0;
  return await disturbSubmitted(
    stage,
    times,
    async () => {
      const [zombie] = workers;
      if (zombie === undefined) throw new Error("no worker is left");
      await stage.freezeAtWork(zombie);
      // The other's jobs end; those that stay are the frozen one's.
      const before = new Set(await heldJobs(redis));
      const ended = async (): Promise<Set<string>> => new Set((await resultKeys(redis)).keys());
      await waitFor("what was in hand is done by the other", async () => {
        const done = await ended();
        return [...before].every((jobId) => done.has(jobId));
      });
      const keys = await resultKeys(redis);
      const marked = [...before].map((jobId) => keys.get(jobId) ?? "");
      const values = await redis.mget(marked);
      await redis.mset(marked.flatMap((key) => [key, `D{"mark":"${key}"}`]));
      zombie.signal("SIGCONT");
      zombie.signal("SIGTERM");
      await zombie.exited;
      const after = await redis.mget(marked);
      overwritten += after.filter((value, i) => value !== `D{"mark":"${marked[i]}"}`).length;
      await redis.mset(marked.flatMap((key, i) => [key, values[i] ?? ""]));
      workers = [...workers.slice(1), await processes.worker(SLOW)];
      return before.size;
    },
    () => `${overwritten} results overwritten`,
  );
}
