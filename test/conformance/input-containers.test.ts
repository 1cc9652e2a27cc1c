import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { InputChoice } from "../../src/core/ports/input-container.js";
import { collectionFolder } from "../../src/inputs/containers/collection.js";
import { textFile } from "../../src/inputs/containers/text-file.js";
import { inputContainers } from "../../src/inputs/containers/registry.js";
import { testInputContainer, type ContainerExample } from "./input-container.suite.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-containers-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const IDS = ["a", "b", "c"];

function linesOf(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

function choose(input: string, firstStage?: string): InputChoice {
  return {
    input,
    format: "auto",
    firstStage,
    depth: undefined,
    split: undefined,
    docFields: ["title", "text"],
    indexDir: join(folder, "index"),
  };
}

function jsonLinesExample(): ContainerExample {
  const path = join(folder, "in.jsonl");
  const write = (text: string): void => {
    const [first, ...others] = IDS.map((id) => ({ id, query: "q", documents: [text] }));
    writeFileSync(path, `${linesOf([first])}no JSON\n${linesOf(others)}`);
  };
  write("text");
  return { choice: choose(path), change: () => write("another text") };
}

function collectionExample(): ContainerExample {
  const place = join(folder, "collection");
  mkdirSync(place);
  const queries = (text: string): void =>
    writeFileSync(join(place, "queries.jsonl"), linesOf(IDS.map((_id) => ({ _id, text }))));
  queries("q");
  writeFileSync(join(place, "corpus.jsonl"), linesOf([{ _id: "d", title: "t", text: "text" }]));
  const run = join(folder, "run.trec");
  // The query "x" has candidates and no text.
  const listed = ["a", "x", "b", "c"].map((id) => `${id} Q0 d 1 1.5 tag\n`);
  writeFileSync(run, listed.join(""));
  return { choice: choose(place, run), change: () => queries("another query") };
}

const EXAMPLES: Readonly<Record<string, () => ContainerExample>> = {
  [textFile.name]: jsonLinesExample,
  [collectionFolder.name]: collectionExample,
};

for (const container of inputContainers()) {
  const example = EXAMPLES[container.name];
  if (example !== undefined) testInputContainer(container, example);
}

it("every container of the registry runs the suite", () => {
  const names = inputContainers().map(({ name }) => name);
  expect(Object.keys(EXAMPLES).sort()).toEqual(names.sort());
});
