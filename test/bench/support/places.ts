import { join, resolve } from "node:path";
import process from "node:process";

export const REPOSITORY = resolve(import.meta.dirname, "../../..");
/** The compiled product: what users run. */
export const DIST = join(REPOSITORY, "dist");
export const TEST_DATA = resolve(REPOSITORY, process.env["RANKMILL_TEST_DATA"] ?? "../shared/data");

/** The folder of models that a bench measures. @param given by an option */
export function modelsFolder(given: string | undefined): string {
  return resolve(given ?? process.env["RANKMILL_BENCH_MODELS"] ?? "out/synthetic");
}
