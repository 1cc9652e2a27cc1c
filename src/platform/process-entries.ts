import { fileURLToPath } from "node:url";

/**
 * Compiled files in `workers/` that run as processes or threads of their own. A bundle of the
 * program holds each under its own path (`docker/image/bundle.ts`).
 */
export const LANE_ENTRY = compiled(new URL("../../workers/lane.js", import.meta.url));
export const TOKENIZER_ENTRY = compiled(
  new URL("../../workers/tokenizer-thread.js", import.meta.url),
);
export const PREPARE_ENTRY = compiled(new URL("../../workers/prepare.js", import.meta.url));
export const CUDA_PROBE_ENTRY = compiled(new URL("../../workers/cuda-probe.js", import.meta.url));
export const REDIS_GUARDIAN_ENTRY = compiled(
  new URL("../../workers/redis-guardian.js", import.meta.url),
);

/** Path of a compiled entry. If this file runs from its source, the entry lies in `dist`. */
function compiled(entry: URL): string {
  if (!import.meta.url.endsWith(".ts")) return fileURLToPath(entry);
  return fileURLToPath(new URL(`../dist${/\/workers\/.*$/.exec(entry.pathname)?.[0]}`, entry));
}
