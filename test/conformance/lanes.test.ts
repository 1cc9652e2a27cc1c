import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { ignoreWork } from "../../src/core/work-events.js";
import { observeLane } from "../../src/telemetry/observe-lanes.js";
import { ArenaLane } from "../support/fakes/arena-lane.js";
import { HandLane } from "../support/fakes/hand-lane.js";
import { HeldLane } from "../support/fakes/held-lane.js";
import type { MemoryLane } from "../support/fakes/memory-lane.js";
import { QuickLane } from "../support/fakes/quick-lane.js";
import { laneOptions } from "../support/lanes.js";
import { testLane, type LanePlace } from "./lane.suite.js";

async function processPlace(): Promise<LanePlace> {
  const lane = await LaneProcess.start(0, laneOptions("bert"));
  return {
    lane,
    freeze: () => void process.kill(lane.pid, "SIGSTOP"),
    kill: (reason) => lane.kill(reason),
    close: async () => await lane.drain("the test is over"),
  };
}

async function memoryPlace(lane: MemoryLane, goOn?: () => void): Promise<LanePlace> {
  const place = { lane, kill: (reason: string) => lane.die(reason) };
  return await Promise.resolve(goOn === undefined ? place : { ...place, goOn });
}

testLane("of a process", processPlace);

testLane("that is observed", async () => {
  const place = await memoryPlace(new QuickLane());
  return { ...place, lane: observeLane(place.lane, ignoreWork) };
});

testLane("whose messages a test holds", async () => {
  const place = await memoryPlace(new QuickLane());
  const lane = new HeldLane(place.lane);
  return { ...place, lane, goOn: () => lane.runOne() };
});

testLane("in memory that answers at once", async () => await memoryPlace(new QuickLane()));

testLane("in memory that answers when it is told to", async () => {
  const lane = new HandLane();
  return await memoryPlace(lane, () => void lane.answer());
});

testLane("in memory that has little memory", async () => await memoryPlace(new ArenaLane(1_000)));
