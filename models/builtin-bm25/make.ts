/**
 * Writes the builtin model's files beside this script's source:
 * `npm run make:builtin`, which is `node dist/models/builtin-bm25/make.js` after a build.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildFiles } from "./files.js";

const SOURCE_FOLDER = new URL("../../../models/builtin-bm25/", import.meta.url);

for (const [name, bytes] of buildFiles()) {
  await writeFile(new URL(name, SOURCE_FOLDER), bytes);
  process.stdout.write(`${fileURLToPath(new URL(name, SOURCE_FOLDER))} ${bytes.length}\n`);
}
