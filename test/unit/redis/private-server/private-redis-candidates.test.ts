import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findServerPrograms } from "../../../../src/redis/private-server/private-redis-candidates.js";

let root: string;
let warnings: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rankmill-candidates-"));
  warnings = [];
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

/** A folder with one program in it; returns the folder. */
async function put(folder: string, program: string, script: string): Promise<string> {
  const path = join(root, folder);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, program), `#!/bin/sh\n${script}\n`);
  await chmod(join(path, program), 0o755);
  return path;
}

async function find(...folders: string[]): Promise<{ name: string; version: string }[]> {
  const programs = await findServerPrograms(folders.join(delimiter), (line) => warnings.push(line));
  return programs.map(({ name, version }) => ({ name, version }));
}

describe("the search for a server program", () => {
  it("prefers redis-server to valkey-server, wherever they are on the path", async () => {
    const first = await put("a", "valkey-server", 'echo "Valkey server v=8.0.1 sha=0"');
    const second = await put("b", "redis-server", 'echo "Redis server v=7.2.4 sha=0"');
    expect(await find(first, second)).toEqual([
      { name: "redis-server", version: "7.2.4" },
      { name: "valkey-server", version: "8.0.1" },
    ]);
    expect(warnings).toEqual([]);
  });

  it("passes over a program that cannot run, and says which and why", async () => {
    const broken = await put("a", "redis-server", "echo no such library >&2; exit 127");
    const works = await put("a", "valkey-server", 'echo "Valkey server v=8.0.1"');
    expect(await find(broken, works)).toEqual([{ name: "valkey-server", version: "8.0.1" }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(join(broken, "redis-server"));
  });

  it("passes over a program that is too old for BullMQ or is something else", async () => {
    const old = await put("a", "redis-server", 'echo "Redis server v=4.0.9 sha=0"');
    const other = await put("b", "valkey-server", "echo hello");
    expect(await find(old, other)).toEqual([]);
    expect(warnings[0]).toContain("4.0.9");
    expect(warnings[1]).toContain("hello");
  });

  it("finds nothing in files that may not be run, in folders, or on an empty path", async () => {
    const folder = await put("a", "redis-server", 'echo "Redis server v=7.2.4"');
    await chmod(join(folder, "redis-server"), 0o644);
    await mkdir(join(root, "b", "redis-server"), { recursive: true });
    expect(await find(folder, join(root, "b"), join(root, "missing"))).toEqual([]);
    expect(await find("")).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("does not look into relative folders of the path", async () => {
    expect(await find(".", "bin")).toEqual([]);
  });
});
