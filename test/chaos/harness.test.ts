/** A minute of faults at random: every record once, the same bytes, nothing left behind. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { given, longTests, realRedis, visibleProcesses } from "../support/needs.js";
import { marked, type SeenProcess } from "../support/processes.js";
import { until } from "../support/until.js";
import type { Fault } from "./harness/fault.js";
import { CHAOS_MARK } from "./harness/guard.js";
import { lastLine } from "./harness/last-line.js";
import { PLANTS, readChaosOptions } from "./harness/options.js";
import { planFaults } from "./harness/plan.js";
import { runChaos, type ChaosOutcome } from "./harness/run-chaos.js";

const SEED = 20;
/** A machine of continuous integration may stand still by itself: only a hang counts. */
const PATIENT = ["--standstill", "86400", "--give-up", "600"];

async function chaos(args: readonly string[], faults?: readonly Fault[]): Promise<ChaosOutcome> {
  const said: string[] = [];
  const log = {
    say: (line: string) => said.push(line),
    onFault: (line: string) => said.push(line),
  };
  const outcome = await runChaos(readChaosOptions(args), log, faults);
  // Shown with a failure: it takes the seed to see it again.
  if (outcome.broken.length > 0) said.push(lastLine(SEED, outcome));
  return { ...outcome, broken: outcome.broken.map((one) => `${one}\n${said.join("\n")}`) };
}

describe("a fleet under faults", given(realRedis, visibleProcesses), () => {
  it("a minute of faults of all kinds costs no record, changes no byte and leaves nothing behind", async () => {
    const args = ["--seed", String(SEED), "--minutes", "1", "--records", "120", ...PATIENT];
    const { broken, tally } = await chaos(args);
    expect(broken).toEqual([]);
    expect(tally.times).toBeGreaterThan(0);
  });
});

describe("a chaos run that is killed", given(realRedis, visibleProcesses), () => {
  it("a chaos run that is killed leaves no process behind", given(longTests), async () => {
    const main = fileURLToPath(new URL("harness/main.ts", import.meta.url));
    const args = ["--import", "tsx", main, "--seed", "1", "--minutes", "1"];
    const run = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [run.stdout, run.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    }
    try {
      await until("a round is under way", () => said.includes("round 0"));
    } finally {
      run.kill("SIGKILL");
    }
    const mark = new RegExp(`${CHAOS_MARK}=(\\S+)`).exec(said)?.[1] ?? "";
    const left = (): SeenProcess[] => marked(CHAOS_MARK, mark);
    expect(left()).not.toEqual([]);
    await until("no process is left", () => left().length === 0);
  });
});

describe("faults that are drawn from a seed", () => {
  it("the same seed gives the same faults, and another seed others", () => {
    const kinds = readChaosOptions([]).kinds;
    expect(planFaults(1, 5, kinds)).toEqual(planFaults(1, 5, kinds));
    expect(planFaults(1, 5, kinds)).not.toEqual(planFaults(2, 5, kinds));
    expect(new Set(planFaults(1, 5, kinds).map(({ kind }) => kind))).toEqual(new Set(kinds));
  });
});

/** Long enough for another worker to do what the frozen one holds. */
const FREEZE: Fault = { atMs: 500, kind: "stop-worker", pick: 0, seconds: 45 };

/** The invariant that each plant breaks. */
const BREAKS: Readonly<Record<(typeof PLANTS)[number], RegExp>> = {
  "lose-result": /^lost: /,
  "double-result": /^doubled: /,
  "no-fence": /^leftOverKeys: /,
  "leak-key": /^leftOverKeys: /,
  "stuck-run": /^stuck: /,
};

describe("a harness that looks at a broken rankmill", given(longTests, realRedis), () => {
  it.each(PLANTS)("%s is caught", async (plant) => {
    const args = ["--seed", "3", "--records", "400", "--plant", plant, "--give-up", "120"];
    const { broken } = await chaos(args, [FREEZE]);
    expect(broken).toContainEqual(expect.stringMatching(BREAKS[plant]));
  });
});
