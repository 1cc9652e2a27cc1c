import { randomBytes } from "node:crypto";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { addHelp } from "../options/add-help.js";
import { print } from "../terminal.js";

const EXAMPLE = "questions.jsonl";
const COMPOSE = "docker-compose.yml";
const SETTINGS = ".env";
const EXAMPLE_RECORDS = 3;
/** Bytes of the gateway's key: `.env.example` asks for as many. */
const KEY_BYTES = 32;

/** A file that is written, and who may read it. */
interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

/** `rankmill init`: a folder to start from. */
export function defineInit(command: Command): void {
  command
    .argument("[folder]", "where to; made if it is missing", ".")
    .action(async (folder: string) => await init(folder));
  addHelp(command, {
    examples: ["rankmill init", "rankmill init reranking"],
    notes: [
      `Writes ${EXAMPLE}, ${COMPOSE} and ${SETTINGS}, or nothing if one of them is there. The settings hold your user and group, which containers work as, and a fresh key for the gateway.`,
    ],
  });
}

async function init(folder: string): Promise<void> {
  const files = await newFiles();
  const there = await present(folder, files);
  if (there.length > 0) {
    throw new RankmillError(
      "place_unusable",
      `${folder === "." ? "this folder" : folder} has ${there.join(" and ")} already: name an empty folder (rankmill init FOLDER)`,
      { place: folder },
    );
  }
  await mkdir(folder, { recursive: true });
  // A file that has come meanwhile is kept.
  for (const { name, text, mode } of files) {
    await writeFile(join(folder, name), text, { flag: "wx", mode });
  }
  const place = relative(".", folder);
  const path = (name: string): string => join(place, name);
  print(`${path(EXAMPLE)}: ${EXAMPLE_RECORDS} questions with their documents
  rankmill run ${path(EXAMPLE)} --model builtin-bm25
${path(COMPOSE)} and ${path(SETTINGS)}: Redis, workers, a runner and a gateway in containers
  docker build -f docker/cpu.Dockerfile -t rankmill:cpu CLONE      once: the image is in no registry
  ${place === "" ? "" : `cd ${place} && `}docker compose up -d`);
}

async function newFiles(): Promise<readonly NewFile[]> {
  const [sample, compose, settings] = await Promise.all(
    ["producers/examples/sample.jsonl", COMPOSE, ".env.example"].map(packaged),
  );
  const lines = (sample ?? "").split("\n").slice(0, EXAMPLE_RECORDS);
  return [
    { name: EXAMPLE, text: `${lines.join("\n")}\n`, mode: 0o666 },
    { name: COMPOSE, text: compose ?? "", mode: 0o666 },
    // It holds a key.
    { name: SETTINGS, text: withOwnValues(settings ?? ""), mode: 0o600 },
  ];
}

async function packaged(path: string): Promise<string> {
  try {
    return await readFile(join(packageRoot(), path), "utf8");
  } catch (error) {
    throw new RankmillError(
      "missing_dependency",
      `this installation has no ${path}: use one of the package (npm install -g rankmill-VERSION.tgz) or a clone`,
      { cause: error },
    );
  }
}

/** The settings with the values that are this user's own. */
function withOwnValues(settings: string): string {
  const user = process.getuid?.();
  const group = process.getgid?.();
  const key = `RANKMILL_API_KEY=${randomBytes(KEY_BYTES).toString("hex")}`;
  const keyed = settings.replace(/^#RANKMILL_API_KEY=$/m, key);
  if (user === undefined || group === undefined) return keyed;
  return keyed.replace(/^#RANKMILL_USER=.*$/m, `RANKMILL_USER=${user}:${group}`);
}

async function present(folder: string, files: readonly NewFile[]): Promise<string[]> {
  const found = await Promise.all(
    files.map(async ({ name }) => {
      try {
        await access(join(folder, name));
        return [name];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}
