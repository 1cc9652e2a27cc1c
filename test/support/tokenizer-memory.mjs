// Measures a tokenizer's memory in a process of its own, in its thread as a worker has it.
//
//   node --expose-gc tokenizer-memory.mjs DIST <REQUEST      both JSON; the answer goes to standard output
//
// REQUEST: { folder, kind, pieces, chars, tokens }: a text of `chars` is made of each piece in turn, and
// encoded as far as `tokens` (null: whole).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [dist] = process.argv.slice(2);
const load = async (file) => await import(pathToFileURL(join(dist, file)).href);
const { openTokenizer } = await load("src/tokenizers/open-tokenizer.js");
const { folder, kind, pieces, chars, tokens } = JSON.parse(await text(process.stdin));

const KIB = 1024;
/** The highest resident size since the last call. */
function takePeak() {
  const bytes = process.resourceUsage().maxRSS * KIB;
  writeFileSync("/proc/self/clear_refs", "5");
  return bytes;
}

/** As a worker does with large requests that it is done with: what is left is the tokenizer's own. */
function collect() {
  globalThis.gc();
}

takePeak();
const bareBytes = process.memoryUsage.rss();
const { tokenizer } = await openTokenizer(folder, { kind });
const openPeakBytes = takePeak();
const openedBytes = process.memoryUsage.rss();
const texts = [];
// The caller's own text is not the tokenizer's.
let baseBytes;
for (const [name, piece] of Object.entries(pieces)) {
  const long = piece
    .repeat(Math.ceil(chars / piece.length))
    .slice(0, chars)
    .toWellFormed();
  collect();
  baseBytes ??= process.memoryUsage.rss();
  takePeak();
  const startedMs = performance.now();
  let ids = 0;
  let error;
  try {
    ids = (await tokenizer.encode([long], tokens ?? undefined))[0].length;
  } catch (thrown) {
    error = thrown.code ?? String(thrown);
  }
  const tookMs = performance.now() - startedMs;
  texts.push({ name, ids, error, tookMs, growthBytes: takePeak() - baseBytes });
}
await tokenizer.close();
process.stdout.write(
  JSON.stringify({ kind: tokenizer.kind, bareBytes, openPeakBytes, openedBytes, texts }),
);
