/** A folder for models prepared and measured on this host: once per run of the tests, not per command. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const CACHE_VARIABLE = "RANKMILL_TEST_CACHE";

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "rankmill-test-cache-"));
  process.env[CACHE_VARIABLE] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
