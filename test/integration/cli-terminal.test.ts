/** The screen of a person at a terminal: what stands on it, and how a command leaves it behind. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, rerank, SAMPLE } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { given, realRedis, tmux } from "../support/needs.js";
import { TestRedis } from "../support/redis-server.js";
import { Tmux } from "../support/tmux.js";

const AS_BEFORE = "1 1";
const SLOW = "--lanes 1 --concurrency 2 --max-batch-size 1 --no-calibrate";

let gate: Gate;
let bench: Bench;
let terminal: Tmux | undefined;

beforeEach(async () => {
  gate = await Gate.open();
  bench = await Bench.open(gate.env);
});

afterEach(async () => {
  try {
    terminal?.close();
    terminal = undefined;
    await bench.close();
  } finally {
    await gate.close();
  }
});

async function open(columns: number): Promise<Tmux> {
  terminal = await Tmux.open(bench, columns);
  return terminal;
}

/** A run that stands still because no batch comes back. */
async function hold(columns: number): Promise<Tmux> {
  gate.hold();
  const screen = await open(columns);
  await screen.enter(`rankmill ${rerank(SAMPLE, "out.jsonl", SLOW).join(" ")}`);
  await screen.untilShown("0/54 records");
  return screen;
}

describe("a run on a terminal", given(tmux, realRedis), () => {
  it.each([60, 80, 120])(
    "a run shows two lines that fit %i columns, and two Ctrl-C leave one readable line and the terminal as it was",
    async (columns) => {
      const screen = await hold(columns);
      const rows = screen.rows();
      expect(rows.at(-2)).toMatch(/^░+ {2}0 % {2}0\/54 records · 0 failed$/);
      expect(rows.at(-1)).toMatch(/^0 pairs\/s · .+ elapsed · time left not known/);
      expect(screen.flags()).toBe("0 0");
      screen.press("C-c");
      await screen.untilShown(/^stopping within \d s: \d+ jobs? in hand \(Ctrl-C: end at once\)$/);
      screen.press("C-c");
      await screen.untilIdle();
      expect(screen.flags()).toBe(AS_BEFORE);
      expect(screen.rows().join("\n")).not.toMatch(/░|starting/);
      gate.release();
    },
  );

  it("a run that Ctrl-Z stops gives the terminal back, and draws its lines anew when it goes on", async () => {
    const screen = await hold(80);
    screen.press("C-z");
    await screen.untilIdle();
    expect(screen.flags()).toBe(AS_BEFORE);
    expect(screen.rows().join("\n")).not.toMatch(/[█░]|elapsed/);
    await screen.enter("fg");
    await screen.untilShown("0/54 records");
    expect(screen.flags()).toBe("0 0");
    expect(screen.rows().filter((row) => row.includes("elapsed"))).toHaveLength(1);
    gate.release();
    await screen.untilIdle();
    expect(screen.flags()).toBe(AS_BEFORE);
    expect(screen.rows().join("\n")).toMatch(/54 ranked, 0 failed/);
  });

  it("a submission shows how many records it has taken, and Ctrl-C leaves one line and the terminal as it was", async () => {
    const redis = await TestRedis.start();
    try {
      const screen = await open(80);
      // The trap: a shell goes on after Ctrl-C if the program that it waits for ends by itself just then.
      const input = `{ trap exit INT; for i in 1 2 3 4; do cat '${SAMPLE}'; done; sleep 1000; }`;
      const submit = `REDIS_URL=${redis.url} rankmill submit --model ${BUILTIN} --input -`;
      await screen.enter(`${input} | ${submit}`);
      await screen.untilShown("200 records submitted");
      expect(screen.flags()).toBe("0 0");
      expect(screen.rows().at(-1)).toMatch(
        /^[\d,]+ records\/s · .+ elapsed · time left not known$/,
      );
      screen.press("C-c");
      await screen.untilShown(/^interrupted$/);
      await screen.untilIdle();
      expect(screen.flags()).toBe(AS_BEFORE);
      expect(screen.rows().join("\n")).not.toMatch(/elapsed|records submitted/);
    } finally {
      await redis.close();
    }
  });

  it("a terminal that becomes narrower keeps one block, and nothing of it when the run is stopped", async () => {
    const screen = await hold(120);
    screen.resize(60);
    await screen.untilShown(/^0 pairs\/s · .+ elapsed · time left not known/);
    expect(screen.rows().filter((row) => row.includes("elapsed"))).toHaveLength(1);
    screen.press("C-c");
    await screen.untilShown("stopping within");
    screen.press("C-c");
    await screen.untilIdle();
    expect(screen.flags()).toBe(AS_BEFORE);
    expect(screen.rows().join("\n")).not.toMatch(/[█░]|elapsed/);
    gate.release();
  });
});
