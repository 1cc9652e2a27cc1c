/** Whether this machine is of the kind that fixtures were recorded on. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { BERT, words, type Bench } from "./cli.js";
import type { Kept } from "./kept.js";

const host = z.object({
  runtime: z.string(),
  arch: z.string(),
  cpuFlags: z.array(z.string()).optional(),
});

/** `prepared.json` of a prepared model. */
export const preparedManifest = z.looseObject({
  key: z.string(),
  prepareMs: z.number(),
  ...host.shape,
});

/** All that a prepared model, and a score, depend on beside the model. */
export function hostOf(manifest: z.infer<typeof preparedManifest>): z.infer<typeof host> {
  return host.parse(manifest);
}

export function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Prepares a small model to learn it. */
export async function isLikeHost(bench: Bench, kept: Kept): Promise<boolean> {
  const exit = await bench.run(words(`models prepare ${BERT} --prepared-dir probe --json`));
  const { key } = z.object({ key: z.string() }).parse(JSON.parse(exit.stdout));
  const path = bench.path(`probe/${key}/prepared.json`);
  const here = preparedManifest.parse(JSON.parse(readFileSync(path, "utf8")));
  return isEqual(hostOf(here), hostOf(kept.read("prepared/prepared.json", preparedManifest)));
}
