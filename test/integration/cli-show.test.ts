/** Rankings and runs as a person sees them: `show`, the summary of `run`, and the table of `status`. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rerank, SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";

const fleet = useFleet({ shared: "everything" });

describe("rankings that are shown", () => {
  it("the summary of a run says how many, how fast, and how to see them, with the path as it was given", async () => {
    const { stderr } = await fleet.ask(rerank(SAMPLE, "out.jsonl"));
    expect(stderr).toMatch(
      /^54 ranked, 0 failed · [^]*\n1,209 pairs \([\d,]+ pairs\/s\), 67,984 tokens, 0 truncated\nrankings: out\.jsonl\nto see some: rankmill show out\.jsonl\n$/m,
    );
  });

  it("show prints query, documents and scores, best first, with texts out of the input", async () => {
    const { stdout } = await fleet.ask(words("show out.jsonl --records 1 --documents 2"));
    expect(stdout.split("\n")).toEqual([
      "What is artificial intelligence?",
      "  en-ai-definition",
      expect.stringMatching(/^ {4}0\.8974 {2}en-ai-short {7}AI, short for .+…$/),
      expect.stringMatching(/^ {4}0\.8954 {2}en-ai-definition {2}Artificial .+…$/),
      "  … and 19 more",
      "",
    ]);
  });

  it("show finds a ranking by the id of its record, and prints it as JSON if asked to", async () => {
    const { stdout } = await fleet.ask(words("show out.jsonl zh-yiliao-tangzu --json"));
    expect(JSON.parse(stdout)).toMatchObject({ id: "zh-yiliao-tangzu" });
  });

  it("show marks documents of which only a part was read, and does without an input that is gone", async () => {
    const ranking = {
      id: "q",
      model: "m",
      results: [{ index: 3, relevance_score: 0.5, logit: 0, truncated: true }],
      usage: { pairs: 1, tokens: 1, truncated: 1 },
    };
    writeFileSync(fleet.bench.path("alone.jsonl"), `${JSON.stringify(ranking)}\n`);
    const { stdout } = await fleet.ask(words("show alone.jsonl"));
    expect(stdout).toBe("q\n    0.5000  #3  cut \n");
  });

  it("show refuses a file that holds no rankings, and one that is not there", async () => {
    const wrong = await fleet.ask(["show", SAMPLE]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("line 1: no ranking");
    const gone = await fleet.ask(words("show nothing.jsonl"));
    expect(gone).toMatchObject({ code: 2 });
    expect(gone.stderr).toContain("nothing.jsonl: there is no such file");
  });
});

describe("the table of runs", () => {
  it("status lists the newest run first, and says which worker is missing", async () => {
    const first = await fleet.submit(SAMPLE);
    writeFileSync(fleet.bench.path("one.jsonl"), `{"query": "a", "documents": ["b"]}\n`);
    const second = await fleet.submit("one.jsonl");
    const { stdout, stderr } = await fleet.ask(["status"]);
    const [head = "", ...rows] = stdout.trimEnd().split("\n");
    expect(head.split(/ +/)).toEqual([
      "run",
      "state",
      "records",
      "failed",
      "pairs/s",
      "left",
      "age",
    ]);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 3))).toEqual([
      [second, "no worker", "0/1"],
      [first, "no worker", "0/54"],
    ]);
    expect(stderr).toMatch(/rankmill worker --model builtin-bm25 --precision fp32\n$/);
  });
});
