import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { SoakFleet } from "./fleet.js";
import { pictureOf } from "./picture.js";
import { sampleOf, SERIES, type Sample } from "./sample.js";
import { SoakLoad } from "./load.js";

const DEFAULT_MINUTES = 30;
const IDLE_MINUTES = 3;
const SAMPLE_MS = 5_000;
const ROWS = 10;
const MINUTE_MS = 60_000;

const USAGE = `soak: memory, open descriptors and keys under steady load, and after it
  --minutes M        of load; ${IDLE_MINUTES} idle minutes follow (default ${DEFAULT_MINUTES})
  --picture FILE     draws them as SVG`;

export const soakBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: "string" }, picture: { type: "string" } },
  });
  const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
  print(`${describeHost()}\n`);
  const samples: Sample[] = [];
  const fleet = await SoakFleet.open();
  try {
    const load = await SoakLoad.start(fleet);
    const startMs = performance.now();
    const sampleFor = async (forMs: number): Promise<void> => {
      const endMs = performance.now() - startMs + forMs;
      for (let atMs = 0; atMs < endMs;) {
        atMs = performance.now() - startMs;
        samples.push(await sampleOf(fleet, atMs / MINUTE_MS));
        await fleet.pause(SAMPLE_MS);
      }
    };
    await sampleFor(minutes * MINUTE_MS);
    const done = await load.stop();
    say("idle");
    await sampleFor(IDLE_MINUTES * MINUTE_MS);
    print(
      `${done.jobs} jobs of a client, and ${done.runs} spooled runs of ${done.recordsPerRun} records, purged.`,
    );
    const failed = [...done.failures]
      .map(([code, { jobs, first }]) => `${code} ${jobs} (first: ${first})`)
      .join(", ");
    print(`Jobs that failed: ${failed || "none"}. The last ${IDLE_MINUTES} minutes are idle.\n`);
  } finally {
    await fleet.close();
  }
  printTable(["minute", ...SERIES.map(({ title, unit }) => `${title}, ${unit}`)], rowsOf(samples));
  if (values.picture !== undefined) {
    writeFileSync(values.picture, pictureOf(samples, minutes));
  }
  return 0;
}

/** Samples at equal distances, the first and the last among them. */
function rowsOf(samples: readonly Sample[]): string[][] {
  return Array.from({ length: ROWS + 1 }, (_, row) => {
    const sample = samples[Math.round((row * (samples.length - 1)) / ROWS)];
    if (sample === undefined) return [];
    return [sample.minute.toFixed(1), ...SERIES.map(({ of }) => of(sample).toFixed(0))];
  });
}
