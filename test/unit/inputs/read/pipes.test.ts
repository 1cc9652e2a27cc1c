import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../../src/core/contract.js";
import type { InputChoice } from "../../../../src/core/ports/input-container.js";
import type { RecordSource } from "../../../../src/core/ports/record-source.js";
import { digestOf } from "../../../../src/inputs/digest-source.js";
import { openSource } from "../../../../src/inputs/open-source.js";
import { evaluateFile } from "../../../../src/outputs/evaluate-file.js";
import { collect, temporaryFolder } from "../support.js";

/** More than a pipe and every buffer on the way hold. */
const RECORDS = 20_000;

async function open(input: string, firstStage?: string): Promise<RecordSource> {
  const choice: InputChoice = {
    input,
    format: "auto",
    firstStage,
    depth: undefined,
    split: undefined,
    docFields: ["text"],
    indexDir: join(input, "..", "index"),
  };
  return await openSource(choice, {
    limits: DEFAULT_LIMITS,
    topN: undefined,
    stdin: Readable.from([]),
    onNote: () => {},
    modelNames: () => [],
  });
}

describe("a pipe as input", () => {
  it("is read once and whole: nothing is counted or hashed before", async () => {
    const folder = await temporaryFolder();
    const [file, pipe] = [join(folder, "file"), join(folder, "pipe")];
    const lines = Array.from({ length: RECORDS }, (_, i) =>
      JSON.stringify({ id: `${i}`, query: "a query", documents: ["a document of some length"] }),
    );
    writeFileSync(file, lines.join("\n"));
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", 'cat "$0" > "$1"', file, pipe]);
    const ended = once(writer, "exit");
    const source = await open(pipe);
    expect(await source.count()).toBeUndefined();
    expect(await digestOf(source)).toBeUndefined();
    const records = await collect(source.read(new Set()));
    expect(records.filter(({ status }) => status === "valid")).toHaveLength(RECORDS);
    await source.close();
    expect(await ended).toEqual([0, null]);
  });

  it("is refused if it would be read more than once", async () => {
    const folder = await temporaryFolder();
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    mkdirSync(join(folder, "collection"));
    const message = "is a pipe, and is read more than once: give a file";
    await expect(open(join(folder, "collection"), pipe)).rejects.toThrow(message);
    await expect(open(join(folder, "collection"), "-")).rejects.toThrow(message);
    const options = { maxLineBytes: 1_000, ignoreIdenticalIds: false };
    await expect(evaluateFile(pipe, new Map(), options)).rejects.toThrow(message);
  });

  it("is refused if it is a device that never ends", async () => {
    await expect(open("/dev/zero")).rejects.toThrow("/dev/zero is a device");
    const source = await open("/dev/null");
    expect(await collect(source.read(new Set()))).toEqual([]);
  });
});
