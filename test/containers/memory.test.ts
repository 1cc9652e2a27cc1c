import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFailures, readRankings, writeRecords } from "../support/records.js";
import { SeededRandom } from "../support/random.js";
import {
  Compose,
  docker,
  dockerAnswers,
  healthOf,
  IMAGE,
  inspect,
  until,
} from "./support/docker.js";

const HUGE_CHARS = 2_000_000;
const HUGE_DOCUMENTS = 10;
const WIDE_DOCUMENTS = 1_000;

/** Jobs of twenty megabytes, jobs of a thousand documents, and ordinary ones between them. */
function adversarialRecords(): { id: string; query: string; documents: string[] }[] {
  const random = new SeededRandom(7);
  const text = (chars: number): string => {
    let words = "";
    while (words.length < chars) words += `${random.pick(["cell", "blood", "protein", "risk"])} `;
    return words;
  };
  const huge = text(HUGE_CHARS);
  return Array.from({ length: 60 }, (_, index) => {
    const documents =
      index % 6 === 0
        ? Array.from({ length: HUGE_DOCUMENTS }, (__, at) => `${at} ${huge}`)
        : Array.from({ length: index % 6 === 1 ? WIDE_DOCUMENTS : 5 }, () =>
            text(random.between(10, 2_000)),
          );
    return { id: `r${index}`, query: `blood ${index}`, documents };
  });
}

/** Processes that the kernel has killed in the container, under either kind of control group. */
async function kernelKills(container: string): Promise<number> {
  const program = `
    const { readFileSync } = require("node:fs");
    for (const path of ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"]) {
      try { console.log(/^oom_kill (\\d+)$/m.exec(readFileSync(path, "utf8"))[1]); } catch {}
    }`;
  return Number(await docker(["exec", container, "node", "-e", program]));
}

describe.skipIf(!dockerAnswers)("a worker in little memory", () => {
  let folder: string;
  let fleet: Compose;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rankmill-memory-"));
    chmodSync(folder, 0o777);
    fleet = new Compose(`rankmill-test-memory-${process.pid}`, {
      RANKMILL_IMAGE: IMAGE,
      RANKMILL_DATA: folder,
      RANKMILL_MODELS: folder,
      RANKMILL_MEM_LIMIT: "480m",
    });
    await fleet.run("up", "-d", "--no-build", "worker", "runner");
    await until("the worker is healthy", async () => {
      const [worker = ""] = await fleet.containers("worker");
      return (await healthOf(worker)) === "healthy";
    });
  });
  afterAll(async () => {
    await fleet.down();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is never killed, and scores or explains every document of jobs made to exceed it", async () => {
    const records = adversarialRecords();
    writeRecords(join(folder, "in.jsonl"), records);
    const [worker = ""] = await fleet.containers("worker");
    // Records that the memory cannot hold are failed ones: exit 3.
    await fleet.tryRun(
      "run",
      "--rm",
      "-T",
      "submit",
      "--input",
      "in.jsonl",
      "--output",
      "out.jsonl",
    );
    expect(await fleet.containers("worker")).toEqual([worker]);
    expect(await inspect(worker, "{{.State.OOMKilled}} {{.RestartCount}}")).toBe("false 0");
    expect(await kernelKills(worker)).toBe(0);

    const ranked = readRankings(join(folder, "out.jsonl"));
    const failed =
      ranked.length < records.length ? readFailures(join(folder, "out.failed.jsonl")) : [];
    const ids = [...ranked.map(({ id }) => id), ...failed.map(({ id }) => id)];
    expect(ids).toHaveLength(records.length);
    expect(new Set(ids)).toEqual(new Set(records.map(({ id }) => id)));
    for (const { id, results, errors = [] } of ranked) {
      const documents = records.find((record) => record.id === id)?.documents.length;
      expect(results.length + errors.length, id).toBe(documents);
    }
    for (const { code } of failed) expect(code).toBe("limit_exceeded");
    process.stderr.write(`${ranked.length} ranked, ${failed.length} failed and explained\n`);
  });
});
