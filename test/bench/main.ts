/**
 * `npm run bench -- NAME [options]`: measurements, each a folder of its own. Nothing here is a test:
 * a bench prints what it measured and fails only if it could not measure, or if what it
 * compares did not do the same work.
 */
import process from "node:process";
import type { Bench } from "./support/bench.js";

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  cache: async () => (await import("./cache/bench.js")).cacheBench,
  commands: async () => (await import("./start/commands.js")).commandsBench,
  containers: async () => (await import("./containers/bench.js")).containersBench,
  "dry-run": async () => (await import("./dry-run/bench.js")).dryRunBench,
  engine: async () => (await import("./engine/bench.js")).engineBench,
  fidelity: async () => (await import("./fidelity/bench.js")).fidelityBench,
  gateway: async () => (await import("./gateway/bench.js")).gatewayBench,
  "gateway-overload": async () => (await import("./gateway/overload.js")).overloadBench,
  "gateway-waiting": async () => (await import("./gateway/waiting.js")).waitingBench,
  jobs: async () => (await import("./jobs/bench.js")).jobsBench,
  lengths: async () => (await import("./lengths/bench.js")).lengthsBench,
  memory: async () => (await import("./memory/bench.js")).memoryBench,
  numbers: async () => (await import("./numbers/bench.js")).numbersBench,
  peers: async () => (await import("./peers/bench.js")).peersBench,
  prefix: async () => (await import("./prefix/bench.js")).prefixBench,
  tokenizers: async () => (await import("./tokenizers/bench.js")).tokenizersBench,
  start: async () => (await import("./start/bench.js")).startBench,
  runs: async () => (await import("./runs/bench.js")).runsBench,
  scrape: async () => (await import("./scrape/bench.js")).scrapeBench,
  queue: async () => (await import("./queue/bench.js")).queueBench,
  recovery: async () => (await import("./recovery/bench.js")).recoveryBench,
  soak: async () => (await import("./soak/bench.js")).soakBench,
  kills: async () => (await import("./kills/bench.js")).killsBench,
};

async function main(): Promise<number> {
  const [name = "", ...args] = process.argv.slice(2);
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (load !== undefined) return await (await load()).run(args);
  process.stderr.write("usage: npm run bench -- NAME [options]\n");
  for (const known of Object.values(BENCHES)) process.stderr.write(`${(await known()).usage}\n`);
  return name === "" || name === "--help" ? 0 : 2;
}

process.exitCode = await main();
