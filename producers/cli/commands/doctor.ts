import { tmpdir } from "node:os";
import type { Command } from "commander";
import { worstOf, type Level } from "../../../src/app/doctor/finding.js";
import type {
  Examined,
  ExaminedModel,
  ExaminedRedis,
  ExaminedServer,
} from "../../../src/app/doctor/subject.js";
import { wordingOf } from "../../../src/core/errors.js";
import { namedPrecision } from "../../../src/core/precision.js";
import { connectRedis } from "../../../src/redis/connection.js";
import { describeRedis, infoFields } from "../../../src/redis/redis-info.js";
import { serversOf } from "../../../src/redis/redis-servers.js";
import { chooseDevice } from "../choose-device.js";
import { calibrationDir, indexDir, modelsDir, preparedDir } from "../context.js";
import { readTls, type RedisValues } from "../redis-target.js";
import { env, print } from "../terminal.js";
import { asJson, describeFinding, summarize } from "../doctor-report.js";
import { EXIT } from "../exit-codes.js";
import { laneOptions } from "../lane-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE, type DeviceValues } from "../options/device.js";
import { INPUT } from "../options/input.js";
import { LANES } from "../options/lanes.js";
import { LIMITS } from "../options/limits.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL, type FindModelValues } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { inFlightBounds, REDIS } from "../options/redis.js";
import { WORKER } from "../options/worker.js";
import type { RedisClient } from "../../../src/redis/redis-client.js";

const GROUPS = {
  model: MODEL,
  device: DEVICE,
  lanes: LANES,
  worker: WORKER,
  redis: REDIS,
  limits: pick(LIMITS, "maxDocumentChars", "maxJobBytes"),
  input: pick(INPUT, "indexDir"),
  messages: pick(MESSAGES, "json"),
};

const EXIT_OF_LEVEL: Readonly<Record<Level, number>> = {
  ok: EXIT.ok,
  note: EXIT.ok,
  warning: EXIT.warned,
  problem: EXIT.unfit,
};

export function defineDoctor(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await doctor(parsed);
  });
  addOptions(command, GROUPS, ["model", "redisUrl", "precision", "lanes", "memoryLimitBytes"]);
  addHelp(command, {
    examples: ["REDIS_URL=redis://redis:6379 rankmill doctor --model bge-reranker-v2-m3"],
    notes: [
      `Give it the options that the worker will get. Without --model or REDIS_URL, less is examined. Nothing is changed: a few keys live in Redis for a minute at most.`,
      `Exit codes: 0 all is well; 6 something costs speed or safety; 1 something fails or loses work.`,
    ],
  });
}

async function doctor(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { json } = values.messages;
  // Native packages are loaded by the commands that score, and by no other.
  const { examine } = await import("../../../src/app/doctor/examine.js");
  const redis = await examinedRedis(values.redis);
  try {
    const findings = await examine(
      {
        redis,
        model: await examinedModel(values.device, {
          ...values.model,
          // It measures nothing: fp32 is what the others are compared with.
          precision: namedPrecision(values.model.precision),
        }),
        lanes: laneOptions(values.lanes, values.worker),
        inFlight: inFlightBounds(values.redis),
        maxDocumentChars: values.limits.maxDocumentChars,
        maxJobBytes: values.limits.maxJobBytes,
        tokenizer: values.model.tokenizer,
        folders: {
          prepared: values.model.prepare ? preparedDir(values.model.preparedDir) : undefined,
          calibration: calibrationDir(values.lanes.calibrationDir),
          models: modelsDir(values.model.modelsDir),
          index: indexDir(values.input.indexDir),
          temporary: tmpdir(),
        },
        env,
      },
      (finding) => {
        if (!json) print(describeFinding(finding));
      },
    );
    const worst = worstOf(findings);
    print(json ? asJson(findings, worst) : `\n${summarize(findings)}`);
    return EXIT_OF_LEVEL[worst];
  } finally {
    if (redis.status === "there") redis.part.redis.disconnect();
  }
}

async function examinedRedis(values: RedisValues): Promise<Examined<ExaminedRedis>> {
  const { redisUrl: url } = values;
  if (url === undefined) return { status: "unnamed", option: "redisUrl" };
  let redis: RedisClient | undefined;
  try {
    const tls = await readTls(values);
    redis = await connectRedis({ url, tls }, () => undefined);
    const servers = await Promise.all(
      serversOf(redis).map(async (server): Promise<ExaminedServer> => {
        const info = await server.redis.info();
        return { ...server, url, info: infoFields(info), description: describeRedis(info) };
      }),
    );
    return { status: "there", part: { redis, url, tls, servers } };
  } catch (error) {
    redis?.disconnect();
    return { status: "unusable", why: wordingOf(error) };
  }
}

async function examinedModel(
  device: DeviceValues,
  wanted: FindModelValues,
): Promise<Examined<ExaminedModel>> {
  if (wanted.model === undefined) return { status: "unnamed", option: "model" };
  try {
    let deviceNote = "";
    let deviceUnexpected = false;
    const found = await chooseDevice(device, wanted, (decision) => {
      deviceNote = decision.note;
      deviceUnexpected = decision.unexpected;
    });
    return { status: "there", part: { ...found, deviceNote, deviceUnexpected } };
  } catch (error) {
    return { status: "unusable", why: wordingOf(error) };
  }
}
