/**
 * The things that some tests need beside Node and npm. A test names its need with `given`; if it is not there, the
 * test is skipped and the summary at the end of the run tells what was missing and how to get it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseCpuFlags, whyNoBf16 } from "../../src/inference/host/cpu-features.js";
import { OPENVINO_C } from "../../src/models/openvino/openvino-wheels.js";
import { DATA } from "./data.js";
import { canMount } from "./mounts.js";
import { hasRealRedis } from "./redis-server.js";

export interface Need {
  /** Its name and how to get it, as the summary shows them. */
  readonly name: string;
  readonly isMet: boolean;
}

/** Options of a `describe` or an `it`. */
export interface Given {
  readonly skip: boolean;
  readonly meta: { readonly missing: string[] };
}

declare module "vitest" {
  interface TaskMeta {
    /** Names of the needs that are not met. */
    missing?: string[];
  }
}

/** `describe("…", given(realRedis), () => { … })` */
export function given(...needs: readonly Need[]): Given {
  const missing = needs.filter(({ isMet }) => !isMet).map(({ name }) => name);
  return { skip: missing.length > 0, meta: { missing } };
}

export { DATA };

export const realRedis: Need = {
  name: "redis-server on PATH (Debian: apt-get install redis-server)",
  isMet: hasRealRedis,
};

export const valkey: Need = {
  name: "valkey-server on PATH (Debian: apt-get install valkey-server)",
  isMet: answers("valkey-server", "--version"),
};

export const visibleProcesses: Need = {
  name: "Linux' /proc, to see and stop processes",
  isMet: process.platform === "linux",
};

/** The program of Debian's package, or that of a variable. */
export const CHROMIUM = process.env["RANKMILL_TEST_CHROMIUM"] ?? "chromium";

export const chromium: Need = {
  name: "chromium on PATH, or its path in RANKMILL_TEST_CHROMIUM (Debian: apt-get install chromium)",
  isMet: answers(CHROMIUM, "--version"),
};

export const openssl: Need = {
  name: "openssl on PATH, which makes certificates",
  isMet: answers("openssl", "version"),
};

export const pythonRedis: Need = {
  name: "python3 with redis-py (Debian: apt-get install python3-redis; or pip install redis)",
  isMet: answers("python3", "-c", "import redis"),
};

export const curl: Need = {
  name: "curl on PATH",
  isMet: answers("curl", "--version"),
};

export const ordinaryUser: Need = {
  name: "a user other than root, whom the system refuses what the mode of a folder says",
  isMet: process.getuid?.() !== 0,
};

export const terminals: Need = {
  name: "util-linux' script on PATH, which gives a command a terminal",
  isMet: answers("script", "--version"),
};

export const tmux: Need = {
  name: "tmux on PATH (Debian: apt-get install tmux)",
  isMet: answers("tmux", "-V"),
};

export const bash: Need = { name: "bash on PATH", isMet: answers("bash", "--version") };

export const zsh: Need = {
  name: "zsh on PATH (Debian: apt-get install zsh)",
  isMet: answers("zsh", "--version"),
};

export const fish: Need = {
  name: "fish on PATH (Debian: apt-get install fish)",
  isMet: answers("fish", "--version"),
};

export const man: Need = {
  name: "man on PATH (Debian: apt-get install man-db)",
  isMet: answers("man", "--version"),
};

export const mounts: Need = {
  name: "the right to mount a small file system (root on Linux)",
  isMet: canMount(),
};

export const prometheus: Need = {
  name: "prometheus and promtool on PATH (Debian: apt-get install prometheus)",
  isMet: answers("prometheus", "--version") && answers("promtool", "--version"),
};

export const kustomize: Need = {
  name: "kubectl or kustomize on PATH",
  isMet: answers("kubectl", "version", "--client") || answers("kustomize", "version"),
};

export const limitedAddresses: Need = {
  name: "util-linux' prlimit on PATH, which limits the addresses of a process",
  isMet: process.platform === "linux" && answers("prlimit", "--version"),
};

/** A folder that `rankmill setup cuda --with-libraries` filled; a gigabyte, so no test makes it. */
export const cudaLibraries: Need = {
  name: "a folder that `rankmill setup cuda --with-libraries` filled, in RANKMILL_TEST_CUDA_DIR",
  isMet: process.env["RANKMILL_TEST_CUDA_DIR"] !== undefined,
};

/** The folder that `rankmill setup openvino` filled. */
export const OPENVINO_DIR =
  process.env["RANKMILL_TEST_OPENVINO_DIR"] ?? join(homedir(), ".cache/rankmill/openvino");

export const openvino: Need = {
  name: "OpenVINO: koffi, and `rankmill setup openvino`, or its folder in RANKMILL_TEST_OPENVINO_DIR",
  isMet: existsSync(join(OPENVINO_DIR, OPENVINO_C)) && canResolve("koffi"),
};

export const bf16Cpu: Need = {
  name: "a CPU with AVX512_BF16 or AMX_BF16",
  isMet: whyNoBf16({ arch: process.arch, flags: ownCpuFlags(), model: "" }) === undefined,
};

/** For tests of many minutes. */
export const longTests: Need = {
  name: "npm run test:long, for tests that take minutes each",
  isMet: process.env["RANKMILL_TEST_LONG"] === "1",
};

/** The first `count` of cases that differ little; all of them in `npm run test:long`. */
export function firstUnlessLong<Case>(cases: readonly Case[], count = 1): readonly Case[] {
  return longTests.isMet ? cases : cases.slice(0, count);
}

/** @param path below the folder of the test data */
export function testData(path: string): Need {
  return {
    name: `the test data ${path}, in the folder that RANKMILL_TEST_DATA names`,
    isMet: existsSync(join(DATA, path)),
  };
}

function answers(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function canResolve(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function ownCpuFlags(): readonly string[] | undefined {
  return existsSync("/proc/cpuinfo")
    ? parseCpuFlags(readFileSync("/proc/cpuinfo", "utf8"))
    : undefined;
}
