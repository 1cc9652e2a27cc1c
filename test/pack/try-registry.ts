/** A plain installation from a registry, with install scripts on, as somebody does who types what README says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { openRegistry } from "./loopback-registry.js";

type Check = (what: string, passed: boolean, detail: string) => void;

const manifestSchema = z.looseObject({ name: z.string(), version: z.string() });
const RECORD = { id: "a", query: "panda", documents: ["hi", "a panda"] };

/** Not `spawnSync`: the registry answers from this process. */
async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ status: number; output: string }> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { status, output: `${out}${errors}`.trim() };
}

/** @param folder an empty place; @param npm the path of its `npm-cli.js` */
export async function tryRegistry(
  packed: { readonly tarball: string; readonly folder: string },
  folder: string,
  npm: string,
  check: Check,
): Promise<void> {
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(packed.folder, "package.json"), "utf8")),
  );
  const upstream = await run("npm", ["config", "get", "registry"], process.cwd());
  const registry = await openRegistry(upstream.output, manifest, packed.tarball);
  const work = join(folder, "plain");
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "in.jsonl"), `${JSON.stringify(RECORD)}\n`);
  const npmRun = async (...args: string[]) =>
    await run(process.execPath, [npm, "--registry", registry.url, ...args], work);
  try {
    const prefix = join(folder, "global");
    const quiet = ["--no-audit", "--no-fund", "--ignore-scripts=false"];
    const installed = await npmRun("install", "-g", "--prefix", prefix, ...quiet, manifest.name);
    const last = installed.output.split("\n").at(-1) ?? "";
    check("a global installation with install scripts", installed.status === 0, last);
    check("it warns of no engine", !installed.output.includes("EBADENGINE"), "EBADENGINE");
    const rankmill = join(prefix, "bin/rankmill");
    const version = await run(rankmill, ["--version"], work);
    check("it tells its version", version.output === manifest.version, version.output);
    const ranked = await run(rankmill, ["run", "in.jsonl", "--model", "builtin-bm25"], work);
    // npm leaves onnxruntime-node out, without a word, where its script cannot fetch CUDA files.
    const told = /npm install -g --ignore-scripts rankmill-/.test(ranked.output);
    check(
      "it ranks, or says in one line what to type",
      ranked.status === 0 || (ranked.status === 2 && told),
      ranked.output.split("\n").slice(-3).join(" / "),
    );
    // npm keeps what it ran once, by name and version: a cache of its own knows no other package of this version.
    const fresh = ["--cache", join(folder, "cache")];
    const npx = await npmRun(
      ...fresh,
      "exec",
      "--yes",
      "--ignore-scripts",
      "--",
      "rankmill",
      "--version",
    );
    check(
      "npx runs it",
      npx.status === 0 && npx.output.split("\n").includes(manifest.version),
      npx.output.split("\n").at(-1) ?? "",
    );
  } finally {
    registry.close();
  }
}
