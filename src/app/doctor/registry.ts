import type { Check } from "./check.js";
import { caches } from "./checks/caches.js";
import { cpu } from "./checks/cpu.js";
import { device } from "./checks/device.js";
import { disk } from "./checks/disk.js";
import { fleetPair } from "./checks/fleet-pair.js";
import { memory } from "./checks/memory.js";
import { modelFiles } from "./checks/model-files.js";
import { openFiles } from "./checks/open-files.js";
import { redisClock } from "./checks/redis-clock.js";
import { redisJobs } from "./checks/redis-jobs.js";
import { redisLatency } from "./checks/redis-latency.js";
import { redisMemory } from "./checks/redis-memory.js";
import { redisMode } from "./checks/redis-mode.js";
import { redisPersistence } from "./checks/redis-persistence.js";
import { redisPolicy } from "./checks/redis-policy.js";
import { redisRights } from "./checks/redis-rights.js";
import { redisVersion } from "./checks/redis-version.js";
import { scoredPair } from "./checks/scored-pair.js";

/** All checks, in the order in which they are made and told; a new one is a file and a line here. */
export const CHECKS: readonly Check[] = [
  redisVersion,
  redisMode,
  redisRights,
  redisPolicy,
  redisPersistence,
  redisMemory,
  redisLatency,
  redisClock,
  redisJobs,
  memory,
  disk,
  openFiles,
  modelFiles,
  caches,
  cpu,
  device,
  scoredPair,
  fleetPair,
];
