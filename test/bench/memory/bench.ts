/**
 * The memory experiment: a worker in a container with a hard memory limit, given jobs that are made to
 * exceed it. Two things count: that the worker lives, and that every document ends scored or with the reason
 * why not. Beside it the obvious way under the same limit; then a worker that believes in more memory
 * than there is, so that the kernel does kill lanes.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { docker, dockerAnswers, tryDocker } from "../../containers/support/docker.js";
import type { Bench } from "../support/bench.js";
import type { BenchContainer } from "../support/container.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis } from "../support/redis.js";
import { adversarialJobs, type AdversarialMix } from "./adversarial.js";
import { ObviousContainer } from "./obvious-container.js";
import { explainedOf, type Outcome } from "./outcome.js";
import { openToContainers, type Places } from "../support/container-places.js";
import { RankmillContainer } from "./rankmill-container.js";

const MIB = 1024 * 1024;
const SAMPLE_MS = 100;
const IMAGE = process.env["RANKMILL_IMAGE"] ?? "rankmill:cpu";
const NODE_IMAGE = process.env["NODE_IMAGE"] ?? "node:24.21.0-bookworm-slim";
/** Made by models/export/make-synthetic.py; its attention takes 1 GiB at 8,192 tokens, several times. */
const MODEL = "long-xlm-roberta";
const MAX_LENGTH = 8_192;

interface Experiment {
  readonly name: string;
  readonly way: "rankmill" | "obvious";
  readonly limitMib: number;
  /** Tokens of the longest pair; the rest is cut. Default: what the model reads. */
  readonly maxLength?: number;
  /** The limit that the worker is told in place of the true one. */
  readonly believedMib?: number;
}

const EXPERIMENTS: readonly Experiment[] = [
  { name: "obvious", way: "obvious", limitMib: 8_000 },
  // The setting that one deploys once that has happened.
  { name: "obvious, 512 tokens at most", way: "obvious", limitMib: 8_000, maxLength: 512 },
  { name: "rankmill", way: "rankmill", limitMib: 8_000 },
  { name: "rankmill, too small for the longest", way: "rankmill", limitMib: 1_500 },
  {
    name: "rankmill, told of more than there is",
    way: "rankmill",
    limitMib: 1_500,
    believedMib: 8_000,
  },
];

function mixOf(quick: boolean): AdversarialMix {
  return quick
    ? {
        pairs: 500,
        mediumShare: 0.1,
        longShare: 0.004,
        maxLength: MAX_LENGTH,
        hugeDocuments: 2,
        wideJobs: 0,
      }
    : {
        pairs: 10_000,
        mediumShare: 0.1,
        longShare: 0.003,
        maxLength: MAX_LENGTH,
        hugeDocuments: 20,
        wideJobs: 4,
      };
}

interface Measured {
  readonly container: BenchContainer;
  readonly outcome: Outcome;
  readonly lanesDied: string;
  readonly budgetLowered: string;
}

async function score(
  one: Experiment,
  places: Places,
  cache: string,
  mix: AdversarialMix,
  onStart: (container: BenchContainer) => void,
): Promise<Measured> {
  const jobs = adversarialJobs(mix);
  if (one.way === "obvious") {
    const obvious = await ObviousContainer.start(NODE_IMAGE, places, one.maxLength ?? MAX_LENGTH);
    onStart(obvious.container);
    const outcome = await obvious.score(jobs);
    return { container: obvious.container, outcome, lanesDied: "", budgetLowered: "" };
  }
  const told = one.believedMib;
  const worker = await RankmillContainer.start(
    IMAGE,
    cache,
    places,
    told === undefined ? [] : ["--memory-limit-bytes", String(told * MIB)],
  );
  onStart(worker.container);
  const outcome = await worker.score(jobs);
  const { lanesDied, budgetLowered } = worker.counts;
  return {
    container: worker.container,
    outcome,
    lanesDied: String(lanesDied),
    budgetLowered: String(budgetLowered),
  };
}

/** @returns its row, and whether the worker lived and nothing was lost */
async function experiment(
  one: Experiment,
  model: string,
  cache: string,
  mix: AdversarialMix,
): Promise<{ readonly row: readonly string[]; readonly good: boolean }> {
  say(`${one.name}: ${mix.pairs} pairs under ${one.limitMib} MiB`);
  const redis = await startRedis("redis-server");
  await openToContainers(redis);
  const places: Places = { model, redisSocket: redis.connection.path, limitMib: one.limitMib };
  const started = performance.now();
  let container: BenchContainer | undefined;
  const seen = { held: 0, peak: 0, kills: 0 };
  const look = (): void => {
    if (container === undefined) return;
    seen.held = Math.max(seen.held, container.heldBytes);
    seen.peak = Math.max(seen.peak, container.peakBytes);
    seen.kills = Math.max(seen.kills, container.kills);
  };
  const sampling = setInterval(look, SAMPLE_MS);
  try {
    const measured = await score(one, places, cache, mix, (running) => {
      container = running;
    });
    look();
    const { running, oom, code } = await measured.container.outcome();
    const { outcome } = measured;
    const explained = explainedOf(outcome);
    const why = [...outcome.reasons].map(([reason, count]) => `${reason} ${count}`).join(", ");
    const lost = outcome.pairs - outcome.scored - explained;
    return {
      good: running && lost === 0,
      row: [
        one.name,
        String(one.limitMib),
        String(Math.ceil(seen.held / MIB)),
        String(Math.ceil(seen.peak / MIB)),
        one.way === "obvious" ? "" : String(seen.kills),
        measured.lanesDied,
        measured.budgetLowered,
        running ? "0" : `1 (exit ${code}${oom ? ", out of memory" : ""})`,
        String(outcome.pairs),
        String(outcome.scored),
        why === "" ? String(explained) : `${explained} (${why})`,
        String(lost),
        ((performance.now() - started) / 1_000).toFixed(0),
      ],
    };
  } finally {
    clearInterval(sampling);
    await container?.remove();
    await redis.stop();
  }
}

const HEAD = [
  "way",
  "limit MiB",
  "processes' peak MiB",
  "peak with page cache MiB",
  "lanes the kernel killed",
  "lanes died",
  "budget lowered",
  "worker kills",
  "documents",
  "scored",
  "explained",
  "neither",
  "seconds",
];

function valueOf(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

async function run(args: readonly string[]): Promise<number> {
  if (!dockerAnswers) {
    say("the memory bench runs containers, and no Docker API answers");
    return 2;
  }
  const only = valueOf(args, "--only");
  const mix = mixOf(args.includes("--quick"));
  const model = join(process.env["RANKMILL_BENCH_MODELS"] ?? "/tmp/synth", MODEL);
  const cache = `rankmill-bench-${randomUUID()}`;
  await docker(["volume", "create", cache]);
  const rows: (readonly string[])[] = [];
  let good = true;
  try {
    print(`${describeHost()}\n`);
    for (const one of EXPERIMENTS) {
      if (only !== undefined && one.name !== only) continue;
      const done = await experiment(one, model, cache, mix);
      if (one.way === "rankmill") good &&= done.good;
      rows.push(done.row);
    }
  } finally {
    await tryDocker(["volume", "rm", cache]);
  }
  printTable(HEAD, rows);
  print(good ? "every worker of rankmill lived, every document was scored or explained" : "FAILED");
  return good ? 0 : 1;
}

export const memoryBench: Bench = {
  usage:
    "  memory [--quick] [--only WAY]\n      workers in containers under a memory limit and jobs made to exceed it; needs Docker",
  run,
};
