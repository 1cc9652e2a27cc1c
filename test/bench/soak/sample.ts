import { readdirSync } from "node:fs";
import { look, lanesOf } from "../../support/processes.js";
import { residentBytes } from "../support/resident.js";
import type { SoakFleet } from "./fleet.js";

const MB = 1e6;

/** What a fleet holds at one moment. */
export interface Sample {
  readonly minute: number;
  readonly workerMb: number;
  readonly laneMb: number;
  readonly runnerMb: number;
  readonly redisMb: number;
  readonly descriptors: number;
  readonly keys: number;
}

/** One line of a panel. */
export interface Series {
  readonly title: string;
  readonly unit: string;
  readonly of: (sample: Sample) => number;
}

export const SERIES: readonly Series[] = [
  { title: "worker", unit: "MB", of: ({ workerMb }) => workerMb },
  { title: "lane", unit: "MB", of: ({ laneMb }) => laneMb },
  { title: "runner", unit: "MB", of: ({ runnerMb }) => runnerMb },
  { title: "Redis", unit: "MB", of: ({ redisMb }) => redisMb },
  { title: "descriptors", unit: "all three", of: ({ descriptors }) => descriptors },
  { title: "keys", unit: "in Redis", of: ({ keys }) => keys },
];

export async function sampleOf(fleet: SoakFleet, minute: number): Promise<Sample> {
  const { worker, runner, redis } = fleet;
  const lanes = lanesOf(worker.pid);
  const memory = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  return {
    minute,
    workerMb: residentBytes(worker.pid) / MB,
    laneMb: lanes.reduce((sum, { pid }) => sum + residentBytes(pid), 0) / MB,
    runnerMb: residentBytes(runner.pid) / MB,
    redisMb: Number(memory ?? 0) / MB,
    descriptors: [worker.pid, runner.pid, ...lanes.map(({ pid }) => pid)].reduce(
      (sum, pid) => sum + descriptorsOf(pid),
      0,
    ),
    keys: await redis.dbsize(),
  };
}

function descriptorsOf(pid: number): number {
  return look(pid) === undefined ? 0 : readdirSync(`/proc/${pid}/fd`).length;
}
