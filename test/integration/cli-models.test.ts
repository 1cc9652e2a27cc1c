/** What `rankmill models` says of the catalogue: lists, recommendations and checks. */
import { cp, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { BUILTIN_FOLDER } from "../support/builtin-model.js";
import { Bench } from "../support/cli.js";
import { fixtureFolder } from "../support/lanes.js";
import { given, tmux } from "../support/needs.js";
import { Tmux } from "../support/tmux.js";

const COLUMNS = 80;

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

async function models(
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const { code, stdout, stderr } = await bench.ask(["models", ...args]);
  return { code, out: stdout, err: stderr };
}

describe("the list of models", () => {
  it("is a table of 80 columns with a line per model that can be run", async () => {
    const { code, out, err } = await models("list");
    expect(code).toBe(0);
    const [head = "", ...lines] = out.trimEnd().split("\n");
    expect(head).toMatch(/^model +state +size +max +work +mteb +reads +licence$/);
    expect(lines.filter((line) => line.length > COLUMNS)).toEqual([]);
    expect(lines[0]).toMatch(/^builtin-bm25 +here /);
    expect(lines).toContainEqual(
      expect.stringMatching(/^bge-reranker-v2-m3 +pull +568M +8k +1 +\.553 +many +Apache-2\.0$/),
    );
    expect(out).not.toContain("jina-reranker-v3");
    expect(err).toMatch(/18 more cannot be run: .*models info/);
  });

  it("is filtered and sorted, as JSON too", async () => {
    const filter = "--language de --licence commercial --max-size 600 --sort compute".split(" ");
    const { out } = await models("list", ...filter, "--json");
    const listed = z
      .array(
        z.looseObject({
          name: z.string(),
          commercial: z.boolean(),
          compute: z.number().nullable(),
        }),
      )
      .parse(JSON.parse(out));
    expect(listed[0]?.name).toBe("cross-encoder/mmarco-mMiniLMv2-L12-H384-v1");
    expect(listed.every(({ commercial }) => commercial)).toBe(true);
    expect((await models("list", "--language", "XH", "--max-size", "1")).err).toContain("fits");
    expect(await models("list", "--language", "german")).toMatchObject({
      code: 2,
      err: expect.stringContaining('"german" is no ISO 639 code') as unknown,
    });
  });
});

describe("the recommended model", () => {
  it("comes with reasons and the commands to type", async () => {
    const { code, out } = await models("recommend", "--language", "en", "--for", "online");
    expect(code).toBe(0);
    expect(out).toMatch(/^ettin-reranker-32m-v1\n {2}English/);
    expect(out).toMatch(/The language model Qwen3-Reranker-0\.6B is slower|must be exported once/);
    expect(out).toMatch(
      /\n {2}python models\/export\/export\.py cross-encoder\/ettin-reranker-32m-v1 /,
    );
    expect(out).toMatch(
      /\n {2}rankmill serve --model \.\/ettin-reranker-32m-v1 --precision int8\n/,
    );
    const german = await models("recommend", "--language", "de", "--device", "cpu", "--json");
    expect(JSON.parse(german.out)).toMatchObject({
      model: "Alibaba-NLP/gte-multilingual-reranker-base",
      commands: [
        "rankmill models pull gte-multilingual-reranker-base --precision int8",
        "rankmill models verify gte-multilingual-reranker-base --precision int8",
        "rankmill run input.jsonl --model gte-multilingual-reranker-base --precision int8",
      ],
    });
  });

  it("says so if no entry names the language", async () => {
    const said = /No model of the catalogue names Klingon\.\s+This one reads many/;
    expect((await models("recommend", "--language", "TLH")).out).toMatch(said);
    expect((await models("recommend", "--language", "ja")).out).not.toContain("names Japanese");
  });

  it.each([
    [["--language", "German"], /"German" is no ISO 639 code/],
    [["--language", "xx"], /"xx" is no ISO 639 code/],
    [["--licence", "MIT"], /"MIT" is none of commercial, any/],
  ])("is refused with %j", async (args, said) => {
    const { code, err } = await models("recommend", ...args);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });
});

describe("the recommendation on a terminal", given(tmux), () => {
  it("asks for what no option says, and takes the usual for an empty answer", async () => {
    const screen = await Tmux.open(bench, COLUMNS);
    try {
      await screen.enter("rankmill models recommend --language de --for bulk");
      await screen.untilShown(/^Device: cpu or cuda \[cpu\]/);
      await screen.enter("cuda");
      await screen.untilShown(/^Licence: commercial or any \[commercial\]/);
      await screen.enter("");
      await screen.untilShown("rankmill run input.jsonl");
      const shown = screen.rows();
      expect(shown).toContainEqual(expect.stringMatching(/^Qwen3-Reranker-0\.6B/));
      expect(shown.join(" ")).toMatch(/66\.36 +on +MMTEB-R/);
    } finally {
      screen.close();
    }
  });
});

describe("a model without published scores", () => {
  it("passes a smoke test if it tells answers apart, and fails it if not", async () => {
    const good = await models("verify", "builtin-bm25");
    expect(good.out).toMatch(/a smoke test instead\n(right .+\n){4}4 of 4 answers rank above/);
    expect(good.code).toBe(0);
    await cp(BUILTIN_FOLDER, bench.path("upside-down"), { recursive: true });
    await writeFile(
      bench.path("upside-down/rankmill.json"),
      JSON.stringify({ head: { kind: "logit", scale: 1e-300 } }),
    );
    const flat = await models("verify", "./upside-down");
    expect(flat.out).toMatch(/all pairs got one score: the head or the prompt is wrong/);
    expect(flat.code).toBe(3);
  });

  it("is compared with the published scores of the model that it was made from, if that is named", async () => {
    const folder = fixtureFolder("bert");
    const { code, out } = await models("verify", folder, "--published", "granite-reranker-r2");
    expect(out).toMatch(/DIFFERS published 0\.89062 .+\n1 of 4 published scores agree/s);
    expect(code).toBe(3);
    const none = await models("verify", folder, "--published", "Qwen3-Reranker-4B");
    expect(none.err).toMatch(/Qwen3-Reranker-4B has no published scores there/);
    expect(none.code).toBe(2);
  });
});

describe("a reranker that gives no score per pair", () => {
  it.each([
    ["info", "jina-reranker-v3", 0, /"cannot_run": ".*listwise.*Use Qwen\/Qwen3-Reranker-0\.6B"/],
    ["pull", "bge-reranker-v2-minicpm-layerwise", 2, /layerwise.*Use BAAI\/bge-reranker-v2-m3/],
    ["verify", "answerai-colbert-small-v1", 2, /late interaction.*Use cross-encoder\/ettin/],
  ])("has an answer for models %s %s", async (command, name, code, said) => {
    const found = await models(command, name);
    expect(found.out + found.err).toMatch(said);
    expect(found.code).toBe(code);
  });
});
