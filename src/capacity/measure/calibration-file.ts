import { readdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Form } from "../../core/forms/registry.js";
import type { Precision } from "../../core/precision.js";
import { CALIBRATION_FORMAT, calibrationSchema, type Calibration } from "../calibration.js";
import type { CpuFeatures } from "../../inference/host/cpu-features.js";
import { figuresKey, readFigures, shortHash, writeFigures } from "./kept-figures.js";

/** Everything that what is measured depends on. */
export interface CalibrationKeyParts {
  /** sha256, hex. */
  readonly modelDigest: string;
  readonly precision: Precision;
  readonly form?: Form | undefined;
  readonly prepared: boolean;
  /** Version of onnxruntime-node. */
  readonly runtime: string;
  readonly cpu: CpuFeatures;
  readonly cores: number;
}

const ENDING = ".json";

/** Name of a calibration's file, without its ending. */
export function calibrationKey(parts: CalibrationKeyParts): string {
  return figuresKey(parts.modelDigest, [
    CALIBRATION_FORMAT,
    parts.modelDigest,
    parts.precision,
    parts.prepared,
    parts.runtime,
    ...hostParts(parts.cpu, parts.cores),
    // None for the file's own numbers: what was measured of them stays.
    ...(parts.form === undefined ? [] : [parts.form]),
  ]);
}

/** Hash of the things that a calibration depends on beside model and runtime. */
export function hostKey(cpu: CpuFeatures, cores: number): string {
  return shortHash(hostParts(cpu, cores));
}

function hostParts(cpu: CpuFeatures, cores: number): unknown[] {
  // The host's cores count: a quarter of a large one is not a small one.
  return [cpu.arch, cpu.model, cpu.flags, cpus().length, cores];
}

/** @returns the newest calibration that was named `model` on this host; undefined if none is kept */
export async function newestCalibration(
  dir: string,
  model: string,
  host: string,
): Promise<Calibration | undefined> {
  const names = await readdir(dir).catch((): string[] => []);
  const keys = names
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length));
  const kept = await Promise.all(keys.map((key) => readCalibration(dir, key)));
  return kept
    .filter((one) => one?.model === model && one.host === host)
    .sort((a, b) => (b?.measuredAt ?? "").localeCompare(a?.measuredAt ?? ""))[0];
}

/**
 * @param onDamaged told in one line why what is there is not believed
 * @returns undefined if there is none, or what is there cannot be read as one
 */
export async function readCalibration(
  dir: string,
  key: string,
  onDamaged?: (problem: string) => void,
): Promise<Calibration | undefined> {
  const path = pathOf(dir, key);
  return await readFigures(
    path,
    (value) => {
      if (isOlder(value)) return undefined;
      const found = calibrationSchema.safeParse(value);
      if (!found.success) throw new Error("it is no calibration");
      if (found.data.key !== key) throw new Error(`it was made under the key ${found.data.key}`);
      return found.data;
    },
    (why) =>
      onDamaged?.(`the calibration ${path} is damaged (${why}): the model is measured again`),
  );
}

/** True for a file of a version that measured something else. */
function isOlder(value: unknown): boolean {
  const format = z.looseObject({ format: z.int() }).safeParse(value);
  return format.success && format.data.format !== CALIBRATION_FORMAT;
}

/** @returns the path @throws what the file system refuses */
export async function writeCalibration(dir: string, calibration: Calibration): Promise<string> {
  const path = pathOf(dir, calibration.key);
  await writeFigures(path, calibration);
  return path;
}

function pathOf(dir: string, key: string): string {
  return join(dir, `${key}${ENDING}`);
}
