import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { docker, inspect, tryDocker } from "../../containers/support/docker.js";

const MOUNT = "/sys/fs/cgroup";
const KIB = 1024;

export interface ContainerOptions {
  readonly image: string;
  readonly command: readonly string[];
  /** Arguments of `docker run`: limits, mounts, environment. */
  readonly args: readonly string[];
  readonly onLine?: (line: string) => void;
}

export interface Proportional {
  readonly bytes: number;
  /** The part of these that is mapped from files. */
  readonly fileBytes: number;
}

type Listener = (line: string) => void;

/** A container under the kernel's limits, and what its memory group says of it. */
export class BenchContainer {
  readonly id: string;
  /** The process id on the host. */
  readonly pid: number;
  /** When `docker run` was called, as `performance.now()`. */
  readonly startedMs: number;
  readonly #memory: string;
  readonly #cpu: string;
  readonly #logs: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #listeners = new Set<Listener>();
  #lastLine = "";

  private constructor(id: string, pid: number, startedMs: number) {
    this.id = id;
    this.pid = pid;
    this.startedMs = startedMs;
    this.#memory = groupOf(pid, "memory");
    this.#cpu = groupOf(pid, "cpuacct");
    this.#logs = spawn("docker", ["logs", "--follow", id], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#logs.stdout, this.#logs.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#lastLine = line;
        for (const listener of this.#listeners) listener(line);
      });
    }
    this.#ended = new Promise((resolve) => this.#logs.once("close", () => resolve()));
  }

  static async start(options: ContainerOptions): Promise<BenchContainer> {
    const startedMs = performance.now();
    const { args, image, command } = options;
    const id = await docker(["run", "--detach", ...args, image, ...command]);
    const pid = Number(await inspect(id, "{{.State.Pid}}"));
    const container = new BenchContainer(id, pid, startedMs);
    if (options.onLine !== undefined) container.#listeners.add(options.onLine);
    return container;
  }

  /** Waits for a line. @throws if the container ends before */
  async says(wanted: (line: string) => boolean): Promise<void> {
    const heard = new Promise<"heard">((resolve) => {
      this.#listeners.add((line) => {
        if (wanted(line)) resolve("heard");
      });
    });
    const ended = this.#ended.then(() => "ended" as const);
    if ((await Promise.race([heard, ended])) === "heard") return;
    throw new Error(`the container ended too early, and its last words were: ${this.#lastLine}`);
  }

  /** Resolves once it has ended and all that it said was heard. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** `137, killed for want of memory`, say. */
  async outcome(): Promise<{ readonly running: boolean; readonly code: number; oom: boolean }> {
    const [running, code, oom] = (
      await inspect(this.id, "{{.State.Running}} {{.State.ExitCode}} {{.State.OOMKilled}}")
    ).split(" ");
    return { running: running === "true", code: Number(code), oom: oom === "true" };
  }

  /** Memory that its processes hold now, without page cache; 0 once it has ended. */
  get heldBytes(): number {
    const [, bytes] = /^(?:total_rss|anon) (\d+)$/m.exec(this.#read("memory.stat")) ?? [];
    return Number(bytes ?? 0);
  }

  /** Most that it held at once, page cache included, which the kernel drops when it must. */
  get peakBytes(): number {
    const v2 = this.#read("memory.peak");
    return Number(v2 === "" ? this.#read("memory.max_usage_in_bytes") : v2);
  }

  /** Processes that the kernel killed in it for want of memory, so far. */
  get kills(): number {
    const text = this.#read("memory.events") || this.#read("memory.oom_control");
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  async remove(): Promise<void> {
    await tryDocker(["rm", "--force", this.id]);
    this.#logs.kill("SIGKILL");
  }

  /** Processor time that all its processes have taken. */
  get cpuSeconds(): number {
    const v2 = /^usage_usec (\d+)$/m.exec(readText(join(this.#cpu, "cpu.stat")))?.[1];
    if (v2 !== undefined) return Number(v2) / 1e6;
    return Number(readText(join(this.#cpu, "cpuacct.usage"))) / 1e9;
  }

  /** Memory of its processes, each page that several have mapped divided among all of them. */
  get proportional(): Proportional {
    const sum = { bytes: 0, fileBytes: 0 };
    for (const pid of this.#read("cgroup.procs").split("\n")) {
      const rollup = readText(`/proc/${pid}/smaps_rollup`);
      sum.bytes += kibOf(rollup, "Pss") * KIB;
      sum.fileBytes += kibOf(rollup, "Pss_File") * KIB;
    }
    return sum;
  }

  #read(file: string): string {
    return readText(join(this.#memory, file));
  }
}

function groupOf(pid: number, controller: string): string {
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  for (const line of groups) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers.split(",").includes(controller)) return join(MOUNT, controller, path);
  }
  const unified = groups.find((line) => line.startsWith("0::")) ?? "0::";
  return join(MOUNT, unified.slice("0::".length));
}

/** Empty if there is nothing, as after the end of a container. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function kibOf(rollup: string, field: string): number {
  return Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0);
}
