/** The numeric form of int8 on the command line: usual, as the file says, and as an earlier run had it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, BERT, rerank, type CliExit } from "../support/cli.js";
import { readManifest, writeRecords } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";

const USAGE = 2;
const RECORDS = ["one", "two", "three"].map((id) => ({
  id,
  query: `what is ${id}`,
  documents: [`${id} is a number`, "nothing of the kind"],
}));

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
  writeRecords(bench.path("some.jsonl"), RECORDS.slice(0, 2));
  writeRecords(bench.path("more.jsonl"), RECORDS);
});

afterAll(async () => {
  await bench.close();
});

async function run(input: string, output: string, more = ""): Promise<CliExit> {
  const usual = "--precision int8 --no-calibrate --prepared-dir prepared";
  return await bench.run(rerank(input, output, `${usual} ${more}`, BERT));
}

function formOf(output: string): unknown {
  return readManifest(bench.path(output.replace("jsonl", "manifest.json"))).settings["model"];
}

describe("int8 from file to file", () => {
  it("has a scale per row, as the manifest says, and is gone on with in no other form", async () => {
    const exit = await run("some.jsonl", "rows.jsonl");
    expect(exit.code, exit.stderr).toBe(0);
    expect(formOf("rows.jsonl")).toMatchObject({ precision: "int8", form: "rows" });
    const other = await run("more.jsonl", "rows.jsonl", "--int8-form file");
    expect(other.code).toBe(USAGE);
    expect(other.stderr).toContain("model.form was rows");
  });

  it("is what the file says if that is asked for, and is gone on with so", async () => {
    const begun = await run("some.jsonl", "file.jsonl", "--int8-form file");
    expect(begun.code, begun.stderr).toBe(0);
    expect(formOf("file.jsonl")).not.toHaveProperty("form");
    // As a manifest of an older version has it.
    const again = await run("more.jsonl", "file.jsonl");
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain("2 records are ranked already");
    expect(formOf("file.jsonl")).not.toHaveProperty("form");
  });

  it("is what the file says if nothing is prepared, and has no scale per row then", async () => {
    const exit = await run("some.jsonl", "plain.jsonl", "--no-prepare");
    expect(exit.code, exit.stderr).toBe(0);
    expect(formOf("plain.jsonl")).not.toHaveProperty("form");
    const both = await run("some.jsonl", "both.jsonl", "--no-prepare --int8-form rows");
    expect(both.stderr).toContain("--no-prepare: int8-rows is made by preparing");
    expect(both.code).toBe(USAGE);
  });
});
