/** SIGTERM ends every kind of process, also while Redis is dead or answers nothing. */
import { beforeEach, describe, expect, it } from "vitest";
import { rerank, SAMPLE, words, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { firstUnlessLong, given, realRedis } from "../support/needs.js";
import { multiply, writeRecords } from "../support/records.js";

const DRAIN = "--drain-timeout 1";

const fleet = useFleet({ shared: "nothing" });

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, 20));
});

/** Each is under way when it is returned: it holds work, and Redis has answered it. */
const PROCESSES: Readonly<Record<string, () => Promise<RunningCli>>> = {
  worker: async () => {
    const worker = await fleet.worker(`--lanes 1 --no-calibrate ${DRAIN}`);
    fleet.gate.hold();
    await fleet.submit("in.jsonl");
    await worker.until("its lane has work", () => fleet.gate.held > 0);
    return worker;
  },
  runner: async () => {
    await fleet.submit("in.jsonl", "--spool spool");
    const runner = fleet.bench.start(words("runner --spool spool"));
    await runner.says("owner of the run");
    return runner;
  },
  run: async () => {
    fleet.gate.hold(40);
    const run = fleet.bench.start(rerank("in.jsonl", "out.jsonl", "--lanes 1 --no-calibrate"));
    await run.until("its lane has work", () => fleet.gate.held > 0 && fleet.gate.passed >= 40);
    return run;
  },
};

const OUTAGES: Readonly<Record<string, () => Promise<void>>> = {
  "is dead": async () => await fleet.server.kill(),
  "answers nothing": () => {
    fleet.server.freeze();
    return Promise.resolve();
  },
};

/** Each process and each outage is among the first three. */
const CASES = firstUnlessLong(
  [
    ["worker", "is dead"],
    ["runner", "answers nothing"],
    ["run", "answers nothing"],
    ["worker", "answers nothing"],
    ["runner", "is dead"],
    ["run", "is dead"],
  ] as const,
  3,
);

describe("SIGTERM", given(realRedis), () => {
  it.each(CASES)("a %s ends at SIGTERM if Redis %s", async (process, outage) => {
    const running = await PROCESSES[process]?.();
    await OUTAGES[outage]?.();
    running?.signal("SIGTERM");
    const { code, signal } = (await running?.exited) ?? { code: null, signal: null };
    expect({ ended: code !== null, signal }).toEqual({ ended: true, signal: null });
  });

  it("a run says that Redis has not answered, and Ctrl-C ends it", async () => {
    const run = await PROCESSES["run"]?.();
    fleet.server.freeze();
    await run?.says(/Redis has not answered/);
    run?.signal("SIGINT");
    expect((await run?.exited)?.code).toBe(130);
  });
});
