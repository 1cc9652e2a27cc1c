/**
 * Clients of others, installed from their registries and pointed at a live gateway. Each ranking must
 * equal the client library's. A client is a file of `node/` or `python/GROUP/`; it reads its task from its
 * standard input and tells its ranking on its standard output.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createClient, type Ranking } from "../../src/index.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { HERE, NODE, PYTHON_GROUPS, pythonOf } from "./install.js";

const MODEL = "builtin-bm25";
const QUERY = "where does the miller grind corn";
const DOCUMENTS = [
  "a river runs past the town",
  "the miller grinds corn in the mill",
  "corn is grown in the field",
  "the mill stands by the river, and the miller grinds all day",
  "🌾 is the sign of the miller, who also sells it",
];
/** NVIDIA's wire carries logits, the others what the model's activation makes of them. */
const LOGITS = new Set(["llama-index/nvidia_rerank.py", "haystack/nvidia_ranker.py"]);

const told = z.array(z.tuple([z.int(), z.number()]));
const fleet = useFleet({ shared: "everything" });
let gateway: TestGateway;
let key: string;
let expected: Ranking;

beforeAll(async () => {
  await fleet.worker("--lanes 1");
  const spool = ["--spool", join(fleet.bench.folder, "spool")];
  fleet.bench.start(["runner", ...spool]);
  // TEI names no model.
  gateway = await startGateway(fleet, `--default-model ${MODEL} ${spool.join(" ")}`);
  const { stdout } = await fleet.run(["keys", "add", "a client", "--json"]);
  key = z.object({ token: z.string() }).parse(JSON.parse(stdout)).token;
  const client = await createClient({ redisUrl: fleet.server.url });
  const job = await client.enqueue({ model: MODEL, query: QUERY, documents: DOCUMENTS });
  expected = await job.result({ timeoutMs: 60_000 });
  await client.close();
});

describe("clients for Node rank as the client library does", () => {
  const scripts = readdirSync(join(HERE, "node")).filter((name) => name !== "task.mjs");
  it.each(scripts)("%s", async (script) => {
    expectRanking(script, await ask(NODE, [join(HERE, "node", script)], {}));
  });
});

describe.each(PYTHON_GROUPS)(
  "clients for Python of the group %s rank as the client library does",
  (group) => {
    const folder = join(HERE, "python", group);
    const scripts = readdirSync(folder).filter((name) => name.endsWith(".py"));
    it.each(scripts)("%s", async (script) => {
      const env = { PYTHONPATH: join(HERE, "python", "support"), PYTHONDONTWRITEBYTECODE: "1" };
      expectRanking(`${group}/${script}`, await ask(pythonOf(group), [join(folder, script)], env));
    });
  },
);

function expectRanking(name: string, ranking: readonly (readonly [number, number])[]): void {
  const { results } = expected;
  expect(ranking.map(([index]) => index)).toEqual(results.map(({ index }) => index));
  for (const [place, [, score]] of ranking.entries()) {
    const result = results[place];
    const wanted = LOGITS.has(name) ? result?.logit : result?.relevanceScore;
    expect(score).toBeCloseTo(wanted ?? Number.NaN, 6);
  }
}

/** @returns the place of each document in the request, and its score, best first */
async function ask(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<z.infer<typeof told>> {
  const child = spawn(program, args, {
    cwd: HERE,
    env: {
      PATH: process.env["PATH"],
      HOME: fleet.bench.folder,
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      ...env,
    },
  });
  const task = { url: gateway.url, key, model: MODEL, query: QUERY, documents: DOCUMENTS };
  child.stdin.end(JSON.stringify(task));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  expect(code, stderr).toBe(0);
  // Some clients write to their standard output, too.
  return told.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
}
