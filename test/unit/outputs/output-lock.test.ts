import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockOutput } from "../../../src/outputs/output-lock.js";
import { dist } from "../../support/dist.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-lock-"));
  path = join(folder, "out.lock");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function heldBy(pid: number, host = hostname()): void {
  writeFileSync(path, JSON.stringify({ pid, host }));
}

describe("the lock of an output", () => {
  it("names its holder while it is held, and leaves nothing", async () => {
    const unlock = await lockOutput(path);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      pid: process.pid,
      host: hostname(),
    });
    expect(readdirSync(folder)).toEqual(["out.lock"]);
    await unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is refused while another process that holds it lives", async () => {
    heldBy(process.ppid);
    await expect(lockOutput(path)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`process ${process.ppid}`),
    });
    expect(readdirSync(folder)).toEqual(["out.lock"]);
  });

  it("is taken over from a process that is no more, and from a torn file", async () => {
    heldBy(spawnSync("true").pid);
    await (
      await lockOutput(path)
    )();
    writeFileSync(path, "");
    await (
      await lockOutput(path)
    )();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(["null", "{}", "[]", '"x"', "{", '{"pid":0,"host":"h"}'])(
    "is refused in one line if it holds %s, and stays as it is",
    async (text) => {
      writeFileSync(path, text);
      await expect(lockOutput(path)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringMatching(/^.*is no lock that rankmill wrote, or it is damaged.*$/),
      });
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  it("is left alone if another host holds it", async () => {
    heldBy(1, "another-host");
    await expect(lockOutput(path)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`delete ${path}`),
    });
  });
});

describe("the lock that a killed command left", () => {
  const LOCK = pathToFileURL(join(dist, "src/outputs/output-lock.js")).href;
  /** Locks once it is told to, says whether it could, and holds on until its input ends. */
  const PROGRAM = `
    import { once } from "node:events";
    import { lockOutput } from ${JSON.stringify(LOCK)};
    process.stdout.write("ready\\n");
    await once(process.stdin, "data");
    const said = await lockOutput(process.argv[1]).then(() => "won", (error) => error.code ?? String(error));
    process.stdout.write(said + "\\n");
    process.stdin.resume();
  `;
  const PROCESSES = 6;
  const ROUNDS = 5;

  it("goes to exactly one of several processes that find it at once", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      heldBy(spawnSync("true").pid);
      const children = Array.from({ length: PROCESSES }, () =>
        spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM, path], {
          stdio: ["pipe", "pipe", "inherit"],
        }),
      );
      const ends = children.map(async (child) => await once(child, "exit"));
      const said = children.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]());
      await Promise.all(said.map(async (lines) => await lines.next()));
      for (const child of children) child.stdin.write("go\n");
      const answers = await Promise.all(said.map(async (lines) => (await lines.next()).value));
      const winner = children[answers.indexOf("won")];
      const holder = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
      for (const child of children) child.stdin.end();
      await Promise.all(ends);
      expect(answers.filter((answer) => answer === "won")).toHaveLength(1);
      expect(answers.filter((answer) => answer === "conflict")).toHaveLength(PROCESSES - 1);
      expect(holder.pid).toBe(winner?.pid);
      expect(readdirSync(folder)).toEqual(["out.lock"]);
    }
  });
});
