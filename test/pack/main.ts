/**
 * `npm run test:pack`: packs rankmill, installs it into empty projects with npm 10 and 11, and once
 * without optional packages, and uses it there as a producer does; then from a registry, with install scripts.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { makePackage } from "./make-package.js";
import { tryRegistry } from "./try-registry.js";

const NPM_VERSIONS = ["10.9.9", "11.19.1"];
const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "rankmill-pack-"));
let failures = 0;
let newestNpm = "";

/** The first steps of a producer, and the packages that it must not have loaded by then. */
const PRODUCER = `
import { readFileSync } from "node:fs";
const before = process.memoryUsage.rss();
const started = performance.now();
const { createClient, RankmillError } = await import("rankmill");
const importMs = performance.now() - started;
const rssMb = (process.memoryUsage.rss() - before) / 1e6;
const mapped = readFileSync("/proc/self/maps", "utf8");
if (/onnxruntime|tokenizers.*\\.node/.test(mapped)) throw new Error("native packages are loaded");
const error = await createClient({ redisUrl: "redis://127.0.0.1:1" }).catch((e) => e);
if (!(error instanceof RankmillError) || error.code !== "redis_unavailable") throw error;
if (process.env.REDIS_URL) {
  const client = await createClient({ redisUrl: process.env.REDIS_URL });
  const job = await client.enqueue({ model: "builtin-bm25", query: "panda", documents: ["hi", "a panda"] });
  if (job.outcome !== "queued") throw new Error(job.outcome);
  await job.cancel();
  await client.close();
}
console.log(JSON.stringify({ importMs: Math.round(importMs), rssMb: Math.round(rssMb) }));
`;

function check(what: string, passed: boolean, detail: string): void {
  if (!passed) failures += 1;
  process.stdout.write(`${passed ? "ok  " : "FAIL"} ${what}: ${detail}\n`);
}

function run(command: string, args: readonly string[], cwd: string, env = process.env) {
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status: result.status, output: `${result.stdout}${result.stderr}`.trim() };
}

function npmOf(version: string): string {
  const prefix = join(folder, `npm-${version}`);
  mkdirSync(prefix, { recursive: true });
  execFileSync("npm", ["install", "--silent", "--no-save", "--prefix", prefix, `npm@${version}`]);
  return join(prefix, "node_modules/npm/bin/npm-cli.js");
}

function tryProject(tarball: string, npm: string, version: string, omitOptional: boolean): void {
  const name = `npm ${version}${omitOptional ? ", without optional packages" : ""}`;
  const project = join(folder, `${version}${omitOptional ? "-omit" : ""}`);
  mkdirSync(project);
  cpSync(tarball, join(project, "rankmill.tgz"));
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "p", version: "1.0.0", type: "module" }),
  );
  writeFileSync(join(project, "producer.mjs"), PRODUCER);
  const flags = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    ...(omitOptional ? ["--omit=optional"] : []),
  ];
  const installed = run(process.execPath, [npm, "install", ...flags, "./rankmill.tgz"], project);
  check(`${name}: install`, installed.status === 0, installed.output.split("\n").at(-1) ?? "");
  const warned = installed.output.includes("EBADENGINE");
  check(`${name}: no engine is warned of`, !warned, process.version);
  if (!omitOptional) {
    rmSync(join(project, "node_modules"), { recursive: true, force: true });
    const clean = run(process.execPath, [npm, "ci", ...flags], project);
    check(
      `${name}: npm ci from its lockfile`,
      clean.status === 0,
      clean.output.split("\n").at(-1) ?? "",
    );
  }
  const produced = run(process.execPath, ["producer.mjs"], project);
  check(`${name}: a producer works`, produced.status === 0, produced.output);
  const cli = join(project, "node_modules/.bin/rankmill");
  const env = { ...process.env, REDIS_URL: process.env["REDIS_URL"] ?? "redis://127.0.0.1:1" };
  const worker = run(
    cli,
    ["run", "--model", "builtin-bm25", "--input", "/dev/null", "--output", "out.jsonl"],
    project,
    env,
  );
  if (omitOptional) {
    const told = /npm install .*(tokenizers|onnxruntime-node)/.test(worker.output);
    check(
      `${name}: a worker says what to install`,
      worker.status === 2 && told,
      worker.output.split("\n")[0] ?? "",
    );
  } else {
    const natives = readdirSync(join(project, "node_modules")).join(" ");
    check(`${name}: the worker's packages are there`, worker.status !== 2, natives.slice(0, 60));
  }
}

try {
  const { tarball, files } = makePackage(root, folder);
  check("the package", files.includes("dist/producers/cli/main.js"), `${files.length} files`);
  for (const version of NPM_VERSIONS) {
    const npm = npmOf(version);
    tryProject(tarball, npm, version, false);
    newestNpm = npm;
  }
  // What is left out is the package's own doing: one npm shows it.
  tryProject(tarball, newestNpm, NPM_VERSIONS.at(-1) ?? "", true);
  const packed = { tarball, folder: join(folder, "package") };
  await tryRegistry(packed, join(folder, "registry"), newestNpm, check);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
