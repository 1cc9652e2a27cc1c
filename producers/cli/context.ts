import { homedir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Precision } from "../../src/core/precision.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { resolveModel, type ResolvedModel } from "../../src/models/resolve.js";
import { connectRedis } from "../../src/redis/connection.js";
import { openSpool } from "../../src/outputs/spool/registry.js";
import type { Spool } from "../../src/core/ports/spool.js";
import type { LogValues } from "./options/messages.js";
import type { FindModelValues } from "./options/model.js";
import { createLogger as createLoggerOf } from "./logger.js";
import { requireOptions } from "./options/required-options.js";
import { readTls, type RedisValues } from "./redis-target.js";
import { env, say } from "./terminal.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

/** @param usual the level if none was asked for */
export function createLogger(
  { logLevel, logFormat }: LogValues,
  usual: "info" | "warn",
  fd: 1 | 2,
): Logger {
  return createLoggerOf({ level: logLevel ?? usual, format: logFormat }, fd, env);
}

export function modelsDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "models");
}

export function calibrationDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "calibration");
}

export function preparedDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "prepared");
}

export function cudaDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "cuda");
}

export function openvinoDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "openvino");
}

export function indexDir(given: string | undefined): string {
  return given ?? join(cacheHome(), "index");
}

/** Folder of a server that has a Redis of its own. */
export function stateDir(given: string | undefined): string {
  return given ?? join(env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state"), "rankmill");
}

/** File of remembered digests. It is not beside the models: those are often mounted read-only. */
export function digestCacheFile(): string {
  return join(cacheHome(), "digests.json");
}

function cacheHome(): string {
  return join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rankmill");
}

/**
 * @param fallback precisions to look for, best first, if none is named; default fp32
 * @throws RankmillError `invalid_option` without a name, `model_not_found`
 */
export async function requireModel(
  values: FindModelValues & { readonly prepare?: boolean },
  fallback?: readonly Precision[],
): Promise<ResolvedModel> {
  const places = { packageRoot: packageRoot(), modelsDir: modelsDir(values.modelsDir) };
  const { model } = requireOptions({ model: values.model });
  return await resolveModel(model, {
    ...places,
    digestCacheFile: digestCacheFile(),
    onDamaged: (problem) => say(problem),
    precision: values.precision ?? fallback,
    // What is not prepared is run as the file says.
    int8Form: values.int8Form ?? (values.prepare === false ? "file" : undefined),
  });
}

/** Connects to the Redis that the operator named. @throws RankmillError `invalid_option` if none is */
export async function requireRedis(values: RedisValues, logger: Logger): Promise<RedisClient> {
  const { redisUrl: url } = requireOptions({ redisUrl: values.redisUrl });
  const tls = await readTls(values);
  return await connectRedis({ url, tls }, (error) =>
    logger.warn({ err: error }, "redis connection"),
  );
}

/** The spool in which a run lies. @throws RankmillError `invalid_option` if it was not given */
export async function requireSpool(place: string | undefined): Promise<Spool> {
  const { spool } = requireOptions({ spool: place });
  return await openSpool(spool, env);
}
