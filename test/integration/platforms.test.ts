/** The answers of the command line on other platforms; a preloaded module changes what the process sees. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CLI = resolve(import.meta.dirname, "../../dist/producers/cli/main.js");
const PRELOAD = resolve(import.meta.dirname, "../fixtures/platform.mjs");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-platform-"));
  writeFileSync(join(folder, "in.jsonl"), '{"id":"1","query":"a b","documents":["a b c"]}\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Exit {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function rankmill(platform: string, ...args: string[]): Promise<Exit> {
  // The module is named in a variable, so that the processes it starts believe the same.
  const NODE_OPTIONS = `--import ${PRELOAD}`;
  const env = { ...process.env, NODE_OPTIONS, PROBE_PLATFORM: platform, REDIS_URL: "" };
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("on Windows", () => {
  it.each([["run"], ["worker"], ["models", "list"], ["--help"]])(
    "rankmill %s is refused in one line that says what to use",
    async (...args) => {
      const { code, stdout, stderr } = await rankmill("win32-x64", ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(
        /^rankmill: Windows is not supported: use WSL 2 .* or a container .*\n$/,
      );
    },
  );
});

describe.each(["darwin-arm64", "linux-arm64"])("on %s", (platform) => {
  it("commands of producers work", async () => {
    const [help, list] = await Promise.all([
      rankmill(platform, "run", "--help"),
      rankmill(platform, "models", "list"),
    ]);
    expect([help.code, list.code]).toEqual([0, 0]);
    expect(list.stdout).toContain("builtin-bm25");
  });
});

describe("a run on a machine for which onnxruntime-node brings no binary", () => {
  it("is refused in one line that names the package", async () => {
    const words = "run --model builtin-bm25 --input in.jsonl --dry-run --log-level silent";
    const { code, stderr } = await rankmill("darwin-arm64", ...words.split(" "));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^rankmill: a worker needs onnxruntime-node: npm install .*\n$/);
  });
});
