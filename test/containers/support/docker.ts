/** Docker as a user calls it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const SAMPLE = fileURLToPath(
  new URL("../../../producers/examples/sample.jsonl", import.meta.url),
);
/** The image under test; built by the suite unless named. */
export const IMAGE = process.env["RANKMILL_TEST_IMAGE"] ?? "rankmill:test";
/** The way in which the image is meant to be run. */
export const HARDENED = [
  "--read-only",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  "--tmpfs=/tmp",
];

export const dockerAnswers = answers(["docker", "version", "--format", "{{.Server.Version}}"]);
const COMPOSE = answers(["docker", "compose", "version"])
  ? ["docker", "compose"]
  : ["docker-compose"];

function answers([program = "", ...args]: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

async function call(command: readonly string[], options: CallOptions = {}): Promise<Said> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}

/** Runs `docker …`, whatever comes of it. */
export async function tryDocker(args: readonly string[], options?: CallOptions): Promise<Said> {
  return await call(["docker", ...args], options);
}

/** @returns its standard output @throws if it fails */
export async function docker(args: readonly string[], options?: CallOptions): Promise<string> {
  return need(await tryDocker(args, options), `docker ${args.join(" ")}`);
}

function need(said: Said, what: string): string {
  if (said.code === 0) return said.stdout.trimEnd();
  throw new Error(`${what}: exit ${String(said.code)}\n${said.stdout}\n${said.stderr}`);
}

/** docker-compose.yml under a project name of its own. */
export class Compose {
  readonly #project: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(project: string, env: Readonly<Record<string, string>>) {
    this.#project = project;
    this.#env = env;
  }

  async run(...args: readonly string[]): Promise<string> {
    return need(await this.tryRun(...args), `compose ${args.join(" ")}`);
  }

  /** Whatever comes of it. */
  async tryRun(...args: readonly string[]): Promise<Said> {
    // Without it the checkout's own .env counts, and a user named there meets the tests' spool.
    const settings = ["--env-file", ".env.example"];
    return await call([...COMPOSE, ...settings, "-p", this.#project, ...args], { env: this.#env });
  }

  /** Ids of a service's running containers; with `--all` also of those that have ended. */
  async containers(service: string, ...args: readonly string[]): Promise<string[]> {
    const said = await this.run("ps", "--quiet", ...args, service);
    return said.split("\n").filter((id) => id !== "");
  }

  async down(): Promise<void> {
    await this.run("down", "--volumes", "--timeout", "1");
  }
}

/** Paths of all files in the image. */
export async function filesOf(image: string): Promise<string[]> {
  const container = await docker(["create", image]);
  try {
    const child = spawn("sh", ["-c", `docker export ${container} | tar t`]);
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(child, "close");
    return text.split("\n").filter((path) => path !== "" && !path.endsWith("/"));
  } finally {
    await docker(["rm", container]);
  }
}

export async function inspect(container: string, format: string): Promise<string> {
  return await docker(["inspect", "--format", format, container]);
}

/** `healthy`, `unhealthy` or `starting`. */
export async function healthOf(container: string): Promise<string> {
  return await inspect(container, "{{.State.Health.Status}}");
}

export async function logsOf(container: string): Promise<string> {
  const { stdout, stderr } = await tryDocker(["logs", container]);
  return stdout + stderr;
}

const INTERVAL_MS = 500;
/** Three failed health checks at their interval, many times over. */
const DEADLINE_MS = 300_000;

/** Waits until `condition` holds. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(INTERVAL_MS);
  }
}

/** An image that adds the libraries of one device or runtime to the image under test. */
export interface VariantImage {
  readonly image: string;
  /** Builds it, unless a variable names one. */
  readonly build: () => Promise<void>;
}

/** @param kind `docker/KIND.Dockerfile` makes it */
export function variantImage(kind: "cuda" | "openvino"): VariantImage {
  const named = process.env[`RANKMILL_TEST_${kind.toUpperCase()}_IMAGE`];
  const image = named ?? `rankmill:test-${kind}`;
  const build = async (): Promise<void> => {
    if (named !== undefined) return;
    const base = ["--build-arg", `RANKMILL_IMAGE=${IMAGE}`];
    await docker(["build", "-f", `docker/${kind}.Dockerfile`, ...base, "-t", image, "."]);
  };
  return { image, build };
}

/** What an image has and the image under test lacks. */
export async function addedFiles(image: string): Promise<string[]> {
  const before = new Set(await filesOf(IMAGE));
  return (await filesOf(image)).filter((path) => !before.has(path)).sort();
}
