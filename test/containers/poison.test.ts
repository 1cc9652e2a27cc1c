/** Documents of the longest length, in scripts that tokenizers cannot cut, under tight memory limits. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, type Client } from "../../src/index.js";
import { BenchContainer } from "../bench/support/container.js";
import { limitedArgs, openToContainers } from "../bench/support/container-places.js";
import { startRedis, urlOf } from "../bench/support/redis.js";
import { DATA } from "../support/data.js";
import { longText, SCRIPTS } from "../support/script-texts.js";
import type { PrivateRedis } from "../../src/redis/private-server/private-redis.js";
import { dockerAnswers, HARDENED, IMAGE, inspect, ROOT } from "./support/docker.js";
import { keepPoisonTable, type PoisonRow } from "./support/poison-table.js";
import { writeSumModel } from "./support/wide-model.js";

const LIMITS_MIB = [573, 1_024, 2_048];
const RESULT_TIMEOUT_MS = 600_000;
const NARROW = 4;
/** Tokens of a ranking whose long text was one unknown token: beside it are two short texts and three queries. */
const FEW_TOKENS = 300;

const CUT = "scored, cut";
/** The reference makes one unknown token of the whole text: nothing of it is left to cut. */
const ONE_TOKEN = "scored, one token";
/** Scripts of which that is so: of a word of over 100 letters in WordPiece, of a row of unknown letters in Unigram. */
const ONE_TOKEN_SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  "deberta-v2": ["emoji", "Thai"],
  bert: ["emoji", "Thai", "combining marks", "one word"],
};

const fixture = (name: string): string => join(ROOT, "test/fixtures/models", name);
/** Folders of models by their tokenizers' names; the last two have real vocabularies. */
const MODELS: Readonly<Record<string, (folder: string) => string>> = {
  "builtin-bm25": () => join(ROOT, "models/builtin-bm25"),
  modernbert: () => fixture("modernbert"),
  "deberta-v2": () => fixture("deberta-v2"),
  bert: (folder) => {
    const tokenizer = join(DATA, "tokenizers/bert");
    writeSumModel(folder, { fixture: "bert", tokenizer, vocabulary: 30_522, width: NARROW });
    return folder;
  },
  "xlm-r": (folder) => {
    const tokenizer = join(DATA, "tokenizers/xlmr");
    writeSumModel(folder, {
      fixture: "xlm-roberta",
      tokenizer,
      vocabulary: 250_002,
      width: NARROW,
    });
    return folder;
  },
};

describe.skipIf(!dockerAnswers)("a document of the longest length", () => {
  const rows: PoisonRow[] = [];
  let folder: string;
  let redis: PrivateRedis;
  let client: Client;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rankmill-poison-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "cache"));
    chmodSync(join(folder, "cache"), 0o777);
    redis = await startRedis("redis-server");
    await openToContainers(redis);
    client = await createClient({ redisUrl: urlOf(redis) });
  });
  afterAll(async () => {
    keepPoisonTable(rows);
    await client.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startWorker(model: string, limitMib: number): Promise<BenchContainer> {
    const redisSocket = redis.connection.path;
    const container = await BenchContainer.start({
      image: IMAGE,
      args: [
        ...HARDENED,
        `--volume=${join(folder, "cache")}:/cache`,
        "--restart=on-failure",
        ...limitedArgs({ model, redisSocket, limitMib }),
      ],
      command: ["worker", "--model", model, "--redis-url", urlOf(redis)],
    });
    await container.says((line) => line.includes(`"msg":"ready"`));
    return container;
  }

  /** One long document between two short ones. @returns what came of the long one */
  async function score(model: string, script: string, id: string): Promise<string> {
    const documents = ["a short text", longText(script), "another short text"];
    try {
      const job = await client.enqueue({ model, id, query: `a query of ${id}`, documents });
      const { results, errors, usage } = await job.result({ timeoutMs: RESULT_TIMEOUT_MS });
      const beside = results.filter(({ index }) => index !== 1).length;
      if (beside !== 2) return `${beside} of 2 beside it scored`;
      const long = results.find(({ index }) => index === 1);
      if (long === undefined) return errors.map(({ code }) => code).join(", ");
      if (long.truncated) return CUT;
      return usage.tokens < FEW_TOKENS ? ONE_TOKEN : "scored, not marked as cut";
    } catch (error) {
      return (error as { code?: string }).code ?? "no code";
    }
  }

  for (const [tokenizer, folderOf] of Object.entries(MODELS)) {
    for (const limitMib of LIMITS_MIB) {
      it(`is scored in every script under ${limitMib} MiB with the tokenizer of ${tokenizer}, and kills no process`, async () => {
        const folderOfModel = folderOf(join(folder, tokenizer));
        const name = basename(folderOfModel);
        const container = await startWorker(folderOfModel, limitMib);
        const outcomes = new Map<string, string>();
        try {
          for (const script of SCRIPTS) {
            outcomes.set(script, await score(name, script, `${limitMib} ${script}`));
          }
          const restarts = Number(await inspect(container.id, "{{.RestartCount}}"));
          const { kills: killed, peakBytes } = container;
          rows.push({ limitMib, tokenizer, outcomes, killed, restarts, peakBytes });
          expect({ killed, restarts }).toEqual({ killed: 0, restarts: 0 });
        } finally {
          await container.remove();
        }
        const whole = ONE_TOKEN_SCRIPTS[tokenizer] ?? [];
        expect([...outcomes]).toEqual(
          SCRIPTS.map((script) => [script, whole.includes(script) ? ONE_TOKEN : CUT]),
        );
      });
    }
  }
});
