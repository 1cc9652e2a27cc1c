/** `rankmill init`: a folder to start from. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Bench } from "../support/cli.js";
import { readRankings } from "../support/records.js";

const released = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** The settings of a file, commented or not. */
function namesIn(settings: string): string[] {
  return (settings.match(/^#?[A-Z_]+=/gm) ?? []).map((name) => name.replace("#", ""));
}

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

it("an empty folder gets the released compose file, settings of its own, and an example that runs", async () => {
  const { code, stdout } = await bench.ask(["init", "new"]);
  expect(code).toBe(0);
  expect(readdirSync(bench.path("new")).sort()).toEqual([
    ".env",
    "docker-compose.yml",
    "questions.jsonl",
  ]);
  expect(readFileSync(bench.path("new/docker-compose.yml"), "utf8")).toBe(
    released("docker-compose.yml"),
  );
  const settings = readFileSync(bench.path("new/.env"), "utf8");
  const set = settings.split("\n").filter((line) => /^[A-Z]/.test(line));
  expect(set).toEqual([
    `RANKMILL_USER=${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    expect.stringMatching(/^RANKMILL_API_KEY=[0-9a-f]{64}$/) as string,
  ]);
  expect(namesIn(settings)).toEqual(namesIn(released(".env.example")));
  expect(statSync(bench.path("new/.env")).mode & 0o077).toBe(0);

  const command = /rankmill (run .*)/.exec(stdout)?.[1] ?? "";
  const run = await bench.run([...command.split(" "), "--lanes", "1"]);
  expect(run.code, run.stderr).toBe(0);
  expect(readRankings(bench.path("new/questions.ranked.jsonl"))).toHaveLength(3);
});

it("a folder that has one of the files is refused, and stays as it is", async () => {
  writeFileSync(bench.path(".env"), "MINE=1\n");
  const { code, stderr } = await bench.ask(["init"]);
  expect(code).toBe(2);
  expect(stderr).toContain("this folder has .env already: name an empty folder");
  expect(readdirSync(bench.folder)).toEqual([".env"]);
  expect(readFileSync(bench.path(".env"), "utf8")).toBe("MINE=1\n");
});
