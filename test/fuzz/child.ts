/**
 * Runs cases one after another, target after target: `child.ts PLAN SEED PROGRESS`. The place in the plan and the number
 * of the case under way stand in the file PROGRESS, for a case that never gives the process back.
 */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { RankmillError } from "../../src/core/errors.js";
import { randomOf } from "./support/mutate.js";
import type { FuzzTarget } from "./support/target.js";
import { targetNamed } from "./targets/registry.js";

/** A message from the child to the parent. */
export type ChildMessage =
  | {
      readonly type: "broken";
      readonly target: string;
      readonly number: number;
      readonly why: string;
    }
  | { readonly type: "refused"; readonly target: string; readonly cases: number }
  | { readonly type: "done"; readonly peakRssBytes: number };

/** Cases of one target, by their numbers. */
export interface CaseRange {
  readonly target: string;
  readonly first: number;
  readonly count: number;
}

/** Files of a case are written and synced hundreds of times per second: where there is one, a disk in memory takes them. */
const FILES_IN_MEMORY = isWritable("/dev/shm") ? "/dev/shm" : undefined;

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const membersOfAll = (): string => PROTOTYPES.map((one) => Reflect.ownKeys(one).length).join();

const raised: unknown[] = [];
process.on("unhandledRejection", (error) => raised.push(error));
process.on("uncaughtException", (error) => raised.push(error));

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function send(message: ChildMessage): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const [plan = "", seed = "", progress = ""] = process.argv.slice(2);
  const file = openSync(progress, "w");
  const root = mkdtempSync(join(FILES_IN_MEMORY ?? tmpdir(), "rankmill-fuzz-"));
  const buffer = Buffer.alloc(16);
  for (const [place, range] of (JSON.parse(plan) as CaseRange[]).entries()) {
    buffer.writeDoubleLE(place);
    const onCase = (number: number): void => {
      buffer.writeDoubleLE(number, 8);
      writeSync(file, buffer, 0, buffer.length, 0);
    };
    const cases = await runRange(range, Number(seed), root, onCase);
    send({ type: "refused", target: range.target, cases });
  }
  rmSync(root, { recursive: true, force: true });
  send({ type: "done", peakRssBytes: process.resourceUsage().maxRSS * 1_024 });
  process.disconnect();
}

/** @returns the number of cases that ended with a proper error */
async function runRange(
  range: CaseRange,
  seed: number,
  root: string,
  onCase: (number: number) => void,
): Promise<number> {
  const target = targetNamed(range.target);
  const before = membersOfAll();
  let refused = 0;
  for (let number = range.first; number < range.first + range.count; number += 1) {
    onCase(number);
    const why = await runCase(target, seed, number, root, () => (refused += 1));
    const late = raised.splice(0).map(String);
    const polluted = membersOfAll() === before ? [] : ["a prototype has new members"];
    for (const one of [why, ...late, ...polluted]) {
      if (one !== undefined) send({ type: "broken", target: target.name, number, why: one });
    }
  }
  return refused;
}

/** @returns why the case is broken */
async function runCase(
  target: FuzzTarget,
  seed: number,
  number: number,
  root: string,
  onRefused: () => void,
): Promise<string | undefined> {
  const folder = join(root, "case");
  if (target.files) mkdirSync(folder);
  try {
    await target.run({ random: randomOf(seed, number), folder });
  } catch (error) {
    if (!(error instanceof RankmillError)) {
      return error instanceof Error ? (error.stack ?? String(error)) : String(error);
    }
    onRefused();
    // It is one line of a log and of a terminal.
    if (error.message === "" || error.message.length > 5_000)
      return `a message of no use: ${error.message.slice(0, 200)}`;
  } finally {
    if (target.files) rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

await main();
