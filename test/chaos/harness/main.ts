/** `npm run chaos`: a seeded, replayable run under faults. Exit code 1 if an invariant does not hold. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describeHost } from "../../bench/support/host.js";
import { print, printTable, say } from "../../bench/support/print.js";
import { median } from "../../bench/support/statistics.js";
import { CACHE_VARIABLE } from "../../support/global-setup.js";
import type { FaultTally } from "./fault-tally.js";
import { readChaosOptions, USAGE } from "./options.js";
import { runChaos } from "./run-chaos.js";
import { lastLine } from "./last-line.js";

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    print(USAGE);
    return 0;
  }
  const options = readChaosOptions(args);
  const cache = mkdtempSync(join(tmpdir(), "rankmill-chaos-cache-"));
  process.env[CACHE_VARIABLE] = cache;
  const logPath = join(tmpdir(), `rankmill-chaos-${options.seed}.jsonl`);
  writeFileSync(logPath, "");
  print(`seed ${options.seed}, ${options.minutes} minutes, ${options.records} records each round`);
  print(`faults are logged to ${logPath}; --replay strikes them again`);
  print(describeHost());
  try {
    const onFault = (line: string): void => {
      say(line);
      appendFileSync(logPath, `${line}\n`);
    };
    const outcome = await runChaos(options, { say, onFault }, undefined, [cache]);
    printKinds(outcome.tally);
    print(`rounds: ${outcome.rounds}`);
    print(`processes that ended by themselves: ${JSON.stringify(outcome.selfMadeEnds)}`);
    for (const sentence of outcome.broken) print(`seed ${options.seed}: ${sentence}`);
    print(lastLine(options.seed, outcome));
    return outcome.broken.length === 0 ? 0 : 1;
  } catch (error) {
    print(`seed ${options.seed}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
    return 1;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function printKinds(tally: FaultTally): void {
  const rows = tally.sorted().map(([name, { times, skipped, recoverySeconds }]) => {
    const worst = recoverySeconds.length === 0 ? 0 : Math.max(...recoverySeconds);
    const middle = recoverySeconds.length === 0 ? 0 : median(recoverySeconds);
    return [name, String(times), String(skipped), middle.toFixed(1), worst.toFixed(1)];
  });
  printTable(["fault", "times", "nobody to hit", "recovery median s", "worst s"], rows);
}

process.exitCode = await main(process.argv.slice(2));
