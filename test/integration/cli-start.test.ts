/** The packages that a command loads before it has anything to do: each start takes that time. */
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, words } from "../support/cli.js";
import { TestRedis } from "../support/redis-server.js";

const LIST_MODULES = new URL("../support/list-modules.mjs", import.meta.url).href;

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ NODE_OPTIONS: `--import=${LIST_MODULES}` });
});
afterAll(() => bench.close());

async function loaded(line: string): Promise<Set<string>> {
  const { stderr } = await bench.run(words(line));
  const packages = stderr.matchAll(/^loads file:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/gm);
  return new Set(Array.from(packages, ([, name = ""]) => name));
}

describe("the start of a command", () => {
  it.each(["--version", "--help", "no-such-command"])(
    "rankmill %s loads the package that reads arguments and no other",
    async (line) => {
      expect([...(await loaded(line))]).toEqual(["commander"]);
    },
  );

  it("rankmill --version reads no configuration file", async () => {
    writeFileSync(bench.path("rankmill.toml"), 'redis-url = "x"');
    try {
      expect([...(await loaded("--version"))]).toEqual(["commander"]);
    } finally {
      rmSync(bench.path("rankmill.toml"));
    }
  });

  it("rankmill status loads nothing that runs models", async () => {
    const packages = await loaded("status --help");
    expect([...packages]).toContain("ioredis");
    for (const name of ["onnxruntime-node", "tokenizers", "@huggingface/transformers"])
      expect([...packages]).not.toContain(name);
  });

  it("rankmill serve loads nothing that runs models, also once it listens", async () => {
    const redis = await TestRedis.start();
    try {
      const serving = bench.start(words("serve --port 0"), { env: { REDIS_URL: redis.url } });
      await serving.says("serving gateway");
      serving.signal("SIGTERM");
      const { stderr } = await serving.exited;
      expect(stderr).toMatch(/node_modules\/hono\//);
      expect(stderr).not.toMatch(/node_modules\/(onnxruntime-node|tokenizers|@huggingface)\//);
    } finally {
      await redis.close();
    }
  });
});
