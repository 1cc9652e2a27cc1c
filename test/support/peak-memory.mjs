// Reads an input as commands do. Usage: node peak-memory.mjs OPEN-INPUT-MODULE FILE
// Prints {"bytes", "said", "peakBytes"}: what came out, or the error, and the most memory this process had.
const [, , module, path] = process.argv;
const { openInput } = await import(module);
let bytes = 0;
let said = "";
try {
  for await (const chunk of (await openInput(path)).chunks) bytes += chunk.length;
} catch (error) {
  said = error.message;
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ bytes, said, peakBytes }));
