/** Files as people have them, each ranked by one command that names the file and a model. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BUILTIN, CTRL_C, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { given, terminals } from "../support/needs.js";
import { readRankings } from "../support/records.js";

const fleet = useFleet({ shared: "everything" });

/** The ids of the best document of each record, by record. */
async function ranked(file: string, text: string): Promise<Record<string, number | undefined>> {
  writeFileSync(fleet.bench.path(file), text);
  const { code, stderr } = await fleet.bench.run(words(`run ${file} --model ${BUILTIN}`));
  expect(stderr).toContain(" 0 failed");
  expect(code).toBe(0);
  const output = `${file.replace(/\.jsonl$/, "")}.ranked.jsonl`;
  const rankings = readRankings(fleet.bench.path(output));
  return Object.fromEntries(rankings.map(({ id, results }) => [id, results[0]?.index]));
}

describe("one command ranks a file as it is", () => {
  it("of JSON lines without ids, and its output lies beside it", async () => {
    const line = { question: "ships at sea", docs: ["cars", "ships"] };
    expect(await ranked("lines.jsonl", JSON.stringify(line))).toEqual({ "line-1": 1 });
  });

  it("of a JSON array with numbers for ids", async () => {
    const items = [7, 8].map((id) => ({ id, query: "ships", passages: ["ships", "cars"] }));
    expect(await ranked("array.json", JSON.stringify(items, null, 2))).toEqual({ "7": 0, "8": 0 });
  });

  it("of a table with a header", async () => {
    const text = 'id;Question;Passage\na;ships;"ships; and\nsea"\nb;ships;cars\n';
    expect(await ranked("table.csv", text)).toEqual({ a: 0, b: 0 });
  });
});

describe("on a terminal a run without a model", given(terminals), () => {
  it("asks for one, and ranks with it", async () => {
    writeFileSync(
      fleet.bench.path("asked.jsonl"),
      JSON.stringify({ query: "a", docs: ["b", "a"] }),
    );
    const run = fleet.bench.start(words("run asked.jsonl"), { terminal: true });
    await run.says("Which one");
    run.type("3\n");
    expect((await run.exited).code).toBe(0);
    expect(readRankings(fleet.bench.path("asked.ranked.jsonl"))).toMatchObject([
      { model: BUILTIN },
    ]);
  });

  it("asks before it fetches one, and takes no for an answer", async () => {
    writeFileSync(fleet.bench.path("no.jsonl"), JSON.stringify({ query: "a", docs: ["b"] }));
    const run = fleet.bench.start(words("run no.jsonl"), { terminal: true });
    await run.says("Which one");
    run.type("\n");
    await run.says(/ms-marco-MiniLM-L6-v2 is not here. Fetch it \(91\.\d MB\)\?/);
    run.type("n\n");
    expect((await run.exited).code).toBe(2);
    expect(run.stdout).toContain("models pull");
  });

  it("ends at Ctrl-C as any run does", async () => {
    writeFileSync(fleet.bench.path("stop.jsonl"), JSON.stringify({ query: "a", docs: ["b"] }));
    const run = fleet.bench.start(words("run stop.jsonl"), { terminal: true });
    await run.says("Which one");
    run.type(CTRL_C);
    expect((await run.exited).code).toBe(130);
  });
});
