/** The refusals of the command line, with their exit codes and words. */
import { existsSync, readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, rerank, words } from "../support/cli.js";
import { readRankings, writeRecords } from "../support/records.js";
import { TestRedis } from "../support/redis-server.js";
import { given, realRedis } from "../support/needs.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open();
  writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
});

afterEach(async () => {
  await bench.close();
});

/** Every command that needs a Redis, with arguments that are otherwise in order. */
const COMMANDS: readonly string[][] = [
  words(`worker --model ${BUILTIN}`),
  words(`submit --model ${BUILTIN} --input in.jsonl`),
  words("status some-run"),
  words("results some-run --output out.jsonl"),
  words("cancel some-run"),
  words("retry some-run"),
];
/** Nobody listens on it: the port of discard, which no machine of ours serves. */
const NOBODY = "redis://user:sekrit@127.0.0.1:9";

describe("a command without REDIS_URL", () => {
  it("every command that needs Redis exits 2 and says which variable to set", async () => {
    // A variable that is empty is as good as none.
    const env = { RANKMILL_SPOOL: "", RANKMILL_LANES: "" };
    const empty = { ...env, REDIS_URL: "" };
    const exits = await Promise.all([
      bench.run(COMMANDS[0] ?? []),
      ...COMMANDS.map((args) => bench.ask(args)),
      ...COMMANDS.map((args) => bench.ask(args, empty)),
    ]);
    for (const exit of exits) {
      expect(exit).toMatchObject({ code: 2, stdout: "" });
      expect(exit.stderr).toContain("REDIS_URL is missing");
    }
  });
});

describe("a command whose Redis does not answer", () => {
  it("every command exits 5 and names the address, never the password", async () => {
    const all = [...COMMANDS, rerank("in.jsonl", "out.jsonl")];
    const exits = await Promise.all([
      bench.run(COMMANDS[0] ?? [], { env: { REDIS_URL: NOBODY } }),
      ...all.map((args) => bench.ask(args, { REDIS_URL: NOBODY })),
    ]);
    for (const exit of exits) {
      expect(exit.code).toBe(5);
      expect(exit.stderr).toContain("127.0.0.1:9");
      expect(exit.stderr).toContain("ECONNREFUSED");
      expect(exit.stderr + exit.stdout).not.toContain("sekrit");
    }
    expect(readdirSync(bench.folder).filter((name) => name.startsWith("out"))).toEqual([]);
    // Nothing was left that the next, luckier run would stumble over.
    const luckier = await bench.ask(rerank("in.jsonl", "out.jsonl"));
    expect(luckier.code).toBe(0);
  });

  it("a finished output stays in its place", async () => {
    expect((await bench.ask(rerank("in.jsonl", "out.jsonl"))).code).toBe(0);
    const exit = await bench.ask(rerank("in.jsonl", "out.jsonl"), { REDIS_URL: NOBODY });
    expect(exit.code).toBe(5);
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(1);
    expect(existsSync(bench.path("out.jsonl.partial"))).toBe(false);
  });
});

describe("a Redis with a password", given(realRedis), () => {
  let server: TestRedis;

  beforeAll(async () => {
    server = await TestRedis.start({ password: "right/one" });
  });

  afterAll(async () => {
    await server.close();
  });

  it("accepts the right password; a wrong one and none are exit 5, and no message shows one", async () => {
    const wrong = server.url.replace("right%2Fone", "wr0ng-one");
    const none = server.url.replace(":right%2Fone@", "");
    const [withWrong, withNone, worker, withRight] = await Promise.all([
      bench.ask(rerank("in.jsonl", "wrong.jsonl"), { REDIS_URL: wrong }),
      bench.ask(rerank("in.jsonl", "none.jsonl"), { REDIS_URL: none }),
      bench.run(words(`worker --model ${BUILTIN}`), { env: { REDIS_URL: wrong } }),
      bench.ask(rerank("in.jsonl", "right.jsonl"), { REDIS_URL: server.url }),
    ]);
    for (const exit of [withWrong, withNone, worker]) {
      expect(exit.code).toBe(5);
      expect(exit.stderr).toContain("password is missing or wrong");
      expect(exit.stderr + exit.stdout).not.toMatch(/wr0ng-one|right.{1,3}one/);
    }
    expect(withRight.code).toBe(0);
    expect(withRight.stderr + withRight.stdout).not.toMatch(/right.{1,3}one/);
  });
});

describe("arguments that cannot be used", () => {
  it("end the command with exit 2 and a reason, and change nothing", async () => {
    const cases: [string[], RegExp][] = [
      [words("run --input in.jsonl --output o.jsonl"), /--model is missing; builtin-bm25/],
      [words("worker"), /--model and REDIS_URL are missing; builtin-bm25/],
      [rerank("in.jsonl", "o.jsonl", "", "no-such-model"), /no-such-model/],
      [rerank("nowhere.jsonl", "o.jsonl"), /nowhere\.jsonl/],
      [rerank(bench.folder, "o.jsonl"), /rankmill-test/],
      [words("run"), /--input and --model are missing.*rankmill run FILE\n\(rankmill run --help/],
      [words("submit"), /--input, --model and REDIS_URL are missing/],
      [words("eval"), /--run and --qrels are missing\n\(rankmill eval --help/],
      [words("run --modle a"), /^rankmill: no option is named --modle: did you mean --model\?\n\(/],
      [words("models pul a"), /"pul": did you mean pull\?\n\(rankmill models --help/],
      [rerank("in.jsonl", "o.jsonl", "--lanes 1 --lanes 2"), /--lanes: is given twice/],
      [
        rerank("in.jsonl", "o.jsonl", "", "builtin-bm26"),
        /did you mean builtin-bm25\? \("rankmill/,
      ],
      [words(`run --model ${BUILTIN} --output o.jsonl`), /--input is missing/],
      [words(`run --model ${BUILTIN} --input -`), /--output is missing/],
      [words(`run in.jsonl --model ${BUILTIN} --input b.jsonl`), /--input: is given twice, as "in/],
      [rerank("in.jsonl", "o.jsonl", "--max-length 100000"), /--max-length: is 100000 tokens/],
      [rerank("in.jsonl", "o.jsonl", "--max-length 7"), /--max-length: "7"/],
      [rerank("in.jsonl", "o.jsonl", "--top-n many"), /--top-n: "many"/],
      [rerank("in.jsonl", "o.jsonl", "--precision int4"), /int4/],
      [rerank("in.jsonl", "o.jsonl", "--precision int8"), /int8/],
      [rerank("in.jsonl", "o.jsonl", "--no-such-option"), /--no-such-option/],
      [words("no-such-command"), /no-such-command/],
    ];
    for (const [i, [args, reason]] of cases.entries()) {
      const exit = await (i === 0 ? bench.run(args) : bench.ask(args));
      expect({ args, code: exit.code }).toEqual({ args, code: 2 });
      expect(exit.stderr).toMatch(reason);
      expect(exit.stdout).toBe("");
    }
    expect(readdirSync(bench.folder).filter((name) => name.startsWith("o."))).toEqual([]);
  });

  it("options are read from their environment variables, and --help-all says so", async () => {
    const help = await bench.ask(["run", "--help-all"]);
    expect(help.code).toBe(0);
    for (const said of [
      "RANKMILL_LANES",
      "REDIS_URL",
      "(tokens; default: the model's own)",
      "(default 10000 documents)",
      "Exit codes",
    ]) {
      expect(help.stdout).toContain(said);
    }
    const exit = await bench.run(words("run --input in.jsonl --output o.jsonl"), {
      env: { RANKMILL_MODEL: BUILTIN, RANKMILL_MAX_DOCUMENTS: "1" },
    });
    expect(exit.code).toBe(3);
    expect(exit.stderr).toContain("1 failed");
  });
});
