/** Refusals of the operating system: one line that says what to do, and no stack trace. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BUILTIN, rerank } from "../support/cli.js";
import { dist } from "../support/dist.js";

const MAIN = join(dist, "producers/cli/main.js");
/** More rankings than a pipe holds. */
const RECORDS = 1_500;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-system-"));
  const lines = Array.from(
    { length: RECORDS },
    (_, id) => `{"id":"q${id}","query":"capital","documents":["Paris","Berlin"]}\n`,
  );
  writeFileSync(join(folder, "in.jsonl"), lines.join(""));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bash(script: string): { readonly code: number | null; readonly stderr: string } {
  const { REDIS_URL: _, ...env } = process.env;
  const found = spawnSync("bash", ["-c", script], { cwd: folder, env, encoding: "utf8" });
  return { code: found.status, stderr: found.stderr };
}

const command = (output: string): string =>
  [process.execPath, MAIN, ...rerank("in.jsonl", output, "--no-calibrate", BUILTIN)].join(" ");

// At each another part is the first that finds none left: a module, or the private Redis.
it.each([28, 32])("a limit of %i open files is said in one line", (files) => {
  const { code, stderr } = bash(`ulimit -n ${files}; exec ${command("out.jsonl")}`);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
    /^rankmill: .*this process may open no more files.*ulimit -n 1024/,
  );
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});

it("a package that Node calls missing under a low limit of open files is no package that is missing", () => {
  const copy = join(folder, "copy");
  mkdirSync(copy);
  writeFileSync(join(copy, "package.json"), '{"type":"module"}');
  for (const file of ["main.js", "platform-support.js"]) {
    copyFileSync(join(dist, "producers/cli", file), join(copy, file));
  }
  writeFileSync(join(copy, "run-program.js"), 'import "a-package-that-is-not-there";');
  const start = `${process.execPath} copy/main.js`;
  const limited = bash(`ulimit -n 64; exec ${start}`);
  expect(limited).toMatchObject({ code: 1 });
  expect(limited.stderr).toMatch(/^rankmill: this process may open no more files.*\n$/);
  expect(bash(`exec ${start}`).stderr).toContain("a-package-that-is-not-there");
});

it("a pipe whose writer says no more keeps no command that has failed from ending", () => {
  const writer = "exec 3>pipe; for i in $(seq 120); do echo bad >&3; done; exec sleep 600";
  const run = [process.execPath, MAIN, ...rerank("pipe", "piped.jsonl", "--no-calibrate", BUILTIN)];
  const { code, stderr } = bash(
    `mkfifo pipe; (${writer}) & writer=$!; ${run.join(" ")}; code=$?; kill $writer; exit $code`,
  );
  expect(stderr).toContain("its first 100 lines hold no record");
  expect(code).toBe(2);
});

it("a standard output that takes nothing is said in one line", () => {
  const { code, stderr } = bash(`exec ${command("-")} >/dev/full`);
  expect(stderr).toContain("standard output cannot be written: the disk is full");
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});

it("a reader that ends before the last ranking is no success", () => {
  const { code, stderr } = bash(`${command("-")} | head -1 >/dev/null; exit "\${PIPESTATUS[0]}"`);
  expect(stderr).toContain("standard output was closed before all rankings were written");
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});
