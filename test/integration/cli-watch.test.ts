/** Commands that watch a submitted run: a signal ends them, and the run goes on. */
import { beforeEach, describe, expect, it } from "vitest";
import { CTRL_C, SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { given, terminals } from "../support/needs.js";

/** Control sequences of a terminal. */
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const WRAP_LINES = "\u001b[?7h";

const fleet = useFleet();
let run = "";

beforeEach(async () => {
  run = await fleet.submit(SAMPLE);
});

const WATCHERS = {
  "status --watch": () => words(`status ${run} --watch`),
  "results --wait": () => words(`results ${run} --wait --output rankings.jsonl`),
  "submit --wait": () => words(`submit --model builtin-bm25 --input ${SAMPLE} --wait`),
};

describe.each(Object.entries(WATCHERS))("%s", (name, args) => {
  it(`${name} ends at Ctrl-C with exit code 130, and the run goes on`, async () => {
    const watcher = fleet.bench.start(args());
    await watcher.says("0/54 records");
    watcher.signal("SIGINT");
    expect(await watcher.exited).toMatchObject({ code: 130 });
    expect(watcher.stderr).toContain(`interrupted; run ${run} goes on`);
    const report = await fleet.run(["status", run, "--json"]);
    expect(JSON.parse(report.stdout)).toMatchObject({ state: "submitted", waiting: 54 });
  });
});

it("status --watch ends at SIGTERM even if Redis has fallen silent", async () => {
  const watcher = fleet.bench.start(WATCHERS["status --watch"]());
  await watcher.says("0/54 records");
  fleet.server.freeze();
  watcher.signal("SIGTERM");
  try {
    expect((await watcher.exited).code).toBeGreaterThanOrEqual(128);
  } finally {
    fleet.server.thaw();
  }
});

describe("the terminal", given(terminals), () => {
  it("the terminal has its cursor and its line wrap again after Ctrl-C", async () => {
    const terminal = fleet.bench.start(words(`status ${run} --watch`), { terminal: true });
    await terminal.says("0/54");
    expect(terminal.stdout).toContain(HIDE_CURSOR);
    terminal.type(CTRL_C);
    await terminal.exited;
    const afterHiding = terminal.stdout.slice(terminal.stdout.lastIndexOf(HIDE_CURSOR));
    expect(afterHiding).toContain(SHOW_CURSOR);
    expect(afterHiding).toContain(WRAP_LINES);
  });
});
