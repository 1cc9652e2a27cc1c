import type { RecordSource } from "../core/ports/record-source.js";
import { createHash } from "node:crypto";

/** @returns sha256, hex, of what tells `source` from others; undefined if it can be read only once */
export async function digestOf(source: RecordSource): Promise<string | undefined> {
  const hash = createHash("sha256");
  return (await source.addTo(hash)) ? hash.digest("hex") : undefined;
}
