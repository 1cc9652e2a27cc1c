/** The owner that feeds and collects a run, killed and followed by the same command or by another runner. */
import { RunStore } from "../../../src/redis/run-store.js";
import { BUILTIN, rerank, type RunningCli } from "../../support/cli.js";
import { resultKeys } from "../../support/queue-view.js";
import { countLines } from "../../support/records.js";
import { INPUT, OUTPUT, sayKill, SLOW, waitFor, type Disturbed, type Stage } from "./stage.js";

/** `rankmill run` with its worker in it, killed and started again. */
export async function killRun(stage: Stage, times: number): Promise<Disturbed> {
  const { processes } = stage;
  const start = (): RunningCli =>
    processes.start(rerank(INPUT, OUTPUT, [...SLOW, "--in-flight-jobs 200"].join(" ")));
  const inHand: number[] = [];
  let run = start();
  for (const moment of stage.moments(times)) {
    const partial = processes.path(`${OUTPUT}.partial`);
    await waitFor("the run is that far", () => countLines(partial) >= moment);
    inHand.push(await stage.freezeAtWork(run));
    await stage.kill(run);
    sayKill(inHand.length, times, inHand.at(-1) ?? 0);
    run = start();
  }
  const exit = await run.exited;
  if (exit.code !== 0) throw new Error(exit.stderr);
  return { inHand, note: "" };
}

/** `rankmill submit --output`, which waits, killed and started again; a worker goes on. */
export async function killSubmit(stage: Stage, times: number): Promise<Disturbed> {
  const { processes, redis } = stage;
  const worker = await processes.worker(SLOW);
  const start = (): RunningCli =>
    processes.start(["submit", "--model", BUILTIN, "--input", INPUT, "--output", OUTPUT]);
  const inHand: number[] = [];
  let submit = start();
  for (const moment of stage.moments(times)) {
    // The first ones fall into the submission itself.
    await waitFor("the run is that far", async () => (await resultKeys(redis)).size >= moment);
    inHand.push(await stage.freezeAtWork(submit, worker));
    await stage.kill(submit);
    sayKill(inHand.length, times, inHand.at(-1) ?? 0);
    submit = start();
  }
  const exit = await submit.exited;
  if (exit.code !== 0) throw new Error(exit.stderr);
  return { inHand, note: "" };
}

/** The owner among two runners killed, and a new one started in its place. */
export async function killRunner(stage: Stage, times: number): Promise<Disturbed> {
  const { processes, redis } = stage;
  const spool = ["--spool", processes.path("spool")];
  const store = new RunStore(redis);
  const worker = await processes.worker(SLOW);
  let runners = [processes.start(["runner", ...spool]), processes.start(["runner", ...spool])];
  const run = await stage.submit(spool);
  const ownerOf = (): RunningCli | undefined => runners.find(isOwner);
  const inHand: number[] = [];
  const takeoverSeconds: number[] = [];
  for (const moment of stage.moments(times)) {
    await waitFor("a runner owns the run", () => ownerOf() !== undefined);
    await waitFor("the run is that far", async () => {
      return (await store.readProgress(run)).counts.done >= moment;
    });
    const owner = ownerOf();
    if (owner === undefined) throw new Error("the run has no owner");
    inHand.push(await stage.freezeAtWork(owner, worker));
    await stage.kill(owner);
    const killedAt = performance.now();
    runners = [...runners.filter((one) => one !== owner), processes.start(["runner", ...spool])];
    await waitFor("another runner owns the run", () => ownerOf() !== undefined);
    takeoverSeconds.push((performance.now() - killedAt) / 1000);
    sayKill(inHand.length, times, inHand.at(-1) ?? 0);
  }
  const results = ["results", run, "--wait", "--output", OUTPUT, ...spool];
  const exit = await processes.run(results);
  if (exit.code !== 0) throw new Error(exit.stderr);
  const longest = Math.max(...takeoverSeconds).toFixed(1);
  return { inHand, note: `taken over within ${longest} s` };
}

function isOwner(runner: RunningCli): boolean {
  return runner.running && runner.stdout.includes(`"msg":"owner of the run"`);
}
