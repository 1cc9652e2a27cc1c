/** `rankmill.toml`: under the command line and the environment, and bounded where nobody has named it. */
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Bench, words } from "../support/cli.js";

const FILE = "rankmill.toml";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterEach(() => rmSync(bench.path(FILE), { force: true }));
afterAll(() => bench.close());

function write(text: string, name = FILE): void {
  writeFileSync(bench.path(name), text);
}

/** Option → value and source, of what is not a default. */
async function settings(
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { stdout, stderr } = await bench.ask([...words(line), "--json"], env);
  expect(stderr).toBe("");
  const found = JSON.parse(stdout) as { option: string; value: string; from: string }[];
  return Object.fromEntries(
    found
      .filter(({ from }) => from !== "default")
      .map(({ option, value, from }) => [option, `${value}, ${from}`]),
  );
}

describe("the configuration file", () => {
  it("the table of a command wins over the file's head, and the environment over both", async () => {
    write('model = "builtin-bm25"\ntop-n = 2\nlanes = 3\n[run]\ntop-n = 1\nprepare = false\n');
    expect(await settings("config run", { RANKMILL_LANES: "2" })).toMatchObject({
      "--model": "builtin-bm25, rankmill.toml",
      "--top-n": "1, rankmill.toml [run]",
      "--lanes": "2, RANKMILL_LANES",
      "--no-prepare": "false, rankmill.toml [run]",
    });
    expect(await settings("config submit")).toMatchObject({ "--top-n": "2, rankmill.toml" });
  });

  it("a run takes its values, and an option that is typed wins", async () => {
    write('model = "builtin-bm25"\ntop-n = 1\nmax-length = 16\n');
    write('{"query": "a b", "documents": ["a", "b", "c"]}\n', "in.jsonl");
    const { code } = await bench.ask(words("run in.jsonl --output out.jsonl --top-n 2 --lanes 1"));
    expect(code).toBe(0);
    const shown = await bench.ask(words("show out.jsonl --json"));
    expect((JSON.parse(shown.stdout) as { results: object[] }).results).toHaveLength(2);
  });

  it.each([
    ['redis-url = "redis://x"', /redis-url: a file that nobody has named may not/],
    ['[run]\noutput = "/etc/x"', /output: a file that nobody has named may not/],
    ['model = "./evil"', /model: a file that nobody has named may not/],
    ["pull = true", /pull: a file that nobody has named may not/],
    ['modle = "x"', /modle: there is no such option: did you mean model\?/],
    ["[rnu]\ntop-n = 1", /\[rnu\]: no command is named "rnu": did you mean run\?/],
    ["[run.now]\ntop-n = 1", /\[run\.now\]: no command is named "now"/],
    [
      "[models.pul]\nprecision = 'int8'",
      /\[models\.pul\]: no command is named "pul": did you mean/,
    ],
    ['top-n = "many"', /rankmill\.toml: top-n: "many" is not a whole number/],
    ['precision = "int9"', /precision: "int9" is not one of auto, fp32, bf16, fp16/],
    ["top-n = [1, 2]", /top-n: \[1,2\] is a list, and one value is needed/],
    ["json = 1", /json: 1 is neither true nor false/],
    ["\ntop-n = = 1", /^rankmill: rankmill\.toml: line 2: /],
  ])("%s is refused", async (text, reason) => {
    write(text);
    const { code, stderr } = await bench.ask(words("run in.jsonl --output o.jsonl --model x"));
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/\(rankmill run --help lists its options\)\n$/);
  });

  it("a file that is named may set addresses, and its secrets are not shown", async () => {
    write('redis-url = "redis://:s3cret@127.0.0.1:1"\n', "own.toml");
    const config = await settings("config status --config own.toml");
    expect(config).toEqual({ "--redis-url": "redis://:[redacted]@127.0.0.1:1, own.toml" });
    const status = await bench.ask(words("--config own.toml status"));
    expect(status).toMatchObject({ code: 5 });
    expect(status.stderr).not.toContain("s3cret");
    const gone = await bench.ask(words("status --config nowhere.toml"));
    expect(gone.stderr).toContain("--config: nowhere.toml cannot be read (ENOENT)");
  });
});
