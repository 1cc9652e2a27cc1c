/** The forms that an earlier version published for programs of others: health files and JSON Schemas. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Bench, words, type CliExit } from "../support/cli.js";
import { Kept, keptVersions } from "../support/kept.js";

const UNFIT = 1;

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open();
});

afterEach(async () => {
  await bench.close();
});

describe.each(keptVersions)("health files of version %s", (version) => {
  const kept = new Kept(version);

  it("a health file of another version tells whether its worker is of use", async () => {
    const report = kept.read("health.json", z.looseObject({ at: z.number(), lanes: z.int() }));
    const health = async (at: number): Promise<CliExit> => {
      writeFileSync(bench.path("health.json"), JSON.stringify({ ...report, at }));
      return await bench.run(words("health --health-file health.json"));
    };
    expect(await health(report.at)).toMatchObject({
      code: UNFIT,
      stdout: expect.stringMatching(/^unfit: the worker last gave a sign of life .* ago\n$/),
    });
    expect(await health(Date.now())).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^fit: ${report.lanes} lanes, 0 jobs in hand`)),
    });
  });
});

describe.each(keptVersions)("JSON Schemas of version %s", (version) => {
  const kept = new Kept(version);

  it.each(["request", "ranking", "status"])(
    "the JSON Schema of a %s holds, and has only grown",
    async (name) => {
      const exit = await bench.run(["schema", name]);
      expect(exit.code, exit.stderr).toBe(0);
      const before = kept.read(`schema/${name}.json`, z.looseObject({}));
      // A new field of what we write may be required; what we read must ask for no more than it did.
      expect(JSON.parse(exit.stdout)).toEqual(grown(before, name !== "request"));
    },
  );
});

/** Lists of what we write that may become longer: fields, and states that a field may have. */
const GROWING = new Set(["required", "enum"]);

/** The form that a schema may have become: descriptions change, properties are added. */
function grown(schema: unknown, mayRequireMore: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((one) => grown(one, mayRequireMore));
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(([, value]) => !isProse(value));
  const parts = kept.map(([key, value]) => [
    key,
    GROWING.has(key) && mayRequireMore ? atLeast(value) : grown(value, mayRequireMore),
  ]);
  return expect.objectContaining(Object.fromEntries(parts));
}

function atLeast(names: unknown): unknown {
  return expect.arrayContaining(z.array(z.string()).parse(names));
}

function isProse(value: unknown): boolean {
  return typeof value === "string" && value.includes(" ");
}
