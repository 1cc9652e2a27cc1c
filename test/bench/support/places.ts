import { join, resolve } from "node:path";
import process from "node:process";

export const REPOSITORY = resolve(import.meta.dirname, "../../..");
/** The compiled product: what users run. */
export const DIST = join(REPOSITORY, "dist");
export const TEST_DATA = resolve(REPOSITORY, process.env["RANKMILL_TEST_DATA"] ?? "../shared/data");
