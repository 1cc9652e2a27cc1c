/** Answers of Redis, and small files of other processes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { calibrationSchema, chooseLayout } from "../../../src/capacity/calibration.js";
import { readCalibration } from "../../../src/capacity/measure/calibration-file.js";
import { parseEnvelope } from "../../../src/core/job-envelope.js";
import { tryStored, parseStored } from "../../../src/core/stored-json.js";
import { describeRedis, redisWarnings } from "../../../src/redis/redis-info.js";
import { runEntrySchema, runCountsSchema } from "../../../src/redis/run-schemas.js";
import { checkRunId, runInfoOf } from "../../../src/redis/run-info.js";
import { describeHealth, readHealth } from "../../../src/telemetry/health-file.js";
import { printable } from "../../../producers/cli/printable.js";
import { withChecksum } from "../../../src/platform/checksummed-json.js";
import { CALIBRATION } from "../../support/calibration.js";
import { changed, mutated } from "../support/mutate.js";
import { must, type FuzzTarget } from "../support/target.js";

const INFOS = [
  "# Server\r\nredis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nused_memory:1000\r\naof_enabled:1\r\n",
  "redis_version:7.2.4\nvalkey_version:8.0.1\nserver_name:valkey\nmaxmemory:100\nused_memory:99\n",
  "redis_version:6.2.11\ndragonfly_version:df-v1.2\n",
];

export const infos: FuzzTarget = {
  name: "redis-info",
  files: false,
  weight: 10,
  run: ({ random }) => {
    const described = describeRedis(mutated(random, INFOS).toString());
    const { maxmemoryBytes, usedMemoryBytes } = described;
    must(Number.isFinite(maxmemoryBytes + usedMemoryBytes), "a figure is no number", described);
    for (const { message } of redisWarnings(described)) printable(message);
  },
};

const HEALTH =
  '{"at":1000,"lanes":1,"held":0,"waiting":0,"progressAt":900,"reason":null,"degraded":null}\n';

export const healthFiles: FuzzTarget = {
  name: "health",
  files: true,
  weight: 3,
  run: async ({ random, folder }) => {
    const path = join(folder, "health.json");
    const bytes = mutated(random, [HEALTH]);
    writeFileSync(path, bytes);
    const said = describeHealth(await readHealth(path, 2_000), 2_000);
    // A reason is shown as it stands in the file.
    must(!said.includes("NaN") || bytes.includes("NaN"), "a figure is no number", said);
  },
};

const CALIBRATIONS = [CALIBRATION, withChecksum(CALIBRATION)].map((one) => JSON.stringify(one));

export const calibrations: FuzzTarget = {
  name: "calibrations",
  files: true,
  weight: 4,
  run: async ({ random, folder }) => {
    writeFileSync(join(folder, "k.json"), mutated(random, CALIBRATIONS));
    const found = await readCalibration(folder, "k");
    if (found === undefined) return;
    calibrationSchema.parse(found);
    const { lanes, threads } = chooseLayout(found, 4, 4, {});
    must(lanes >= 1 && lanes <= 4 && threads >= 1, "a layout cannot be", { lanes, threads });
  },
};

const ENVELOPE = {
  v: 1,
  options: { maxLength: 512, truncation: "only-second" },
  bytes: 40,
  pairs: 2,
  ttlSeconds: 60,
  request: '{"id":"a","query":"q","documents":["d"]}',
};
const ENTRY = JSON.stringify({
  status: "job",
  line: 1,
  id: "a",
  job: { jobId: "j", envelope: ENVELOPE, payload: "p", priority: "bulk" },
});
const RUN: Record<string, string> = {
  model: "m",
  revision: "r",
  precision: "fp32",
  tag: "m.r.fp32.v1",
  state: "submitted",
  input: "in.jsonl",
  maxLength: "512",
  truncation: "only-second",
  total: "3",
  chunks: "1",
  ttlSeconds: "60",
  createdAt: "2026-01-01T00:00:00.000Z",
};

/** Everything of a run and a job that lies in Redis, as another program may have left it. */
export const stored: FuzzTarget = {
  name: "stored",
  files: false,
  weight: 14,
  run: ({ random }) => {
    const envelope = parseEnvelope(changed(random, ENVELOPE));
    if (envelope !== undefined) {
      must(envelope.bytes >= 0 && envelope.ttlSeconds >= 1, "an envelope is unbounded", envelope);
    }
    const text = mutated(random, [ENTRY]).toString();
    tryStored(runCountsSchema, text);
    const info = runInfoOf({
      ...RUN,
      ...Object.fromEntries([[random.pick(Object.keys(RUN)), text]]),
    });
    if (info !== undefined) must(Number.isFinite(info.total), "a run has no number", info);
    checkRunId(random.pick(["run", text]));
    parseStored(runEntrySchema, text, "a chunk");
  },
};
