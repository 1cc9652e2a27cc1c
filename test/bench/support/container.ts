import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { docker, inspect, tryDocker } from "../../containers/support/docker.js";

const V1_MOUNT = "/sys/fs/cgroup/memory";
const V2_MOUNT = "/sys/fs/cgroup";

export interface ContainerOptions {
  readonly image: string;
  readonly command: readonly string[];
  /** Of `docker run`: limits, mounts, environment. */
  readonly args: readonly string[];
  readonly onLine?: (line: string) => void;
}

type Listener = (line: string) => void;

/** A container under the kernel's limits, and what its memory group says of it. */
export class BenchContainer {
  readonly id: string;
  /** On the host. */
  readonly pid: number;
  /** When `docker run` was called, as `performance.now()`. */
  readonly startedMs: number;
  readonly #group: string;
  readonly #logs: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #listeners = new Set<Listener>();
  #lastLine = "";

  private constructor(id: string, pid: number, startedMs: number) {
    this.id = id;
    this.pid = pid;
    this.startedMs = startedMs;
    this.#group = memoryGroupOf(pid);
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

  /** Waits for a line. @throws where the container ends before */
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

  #read(file: string): string {
    try {
      return readFileSync(join(this.#group, file), "utf8").trim();
    } catch {
      // Gone with the container.
      return "";
    }
  }
}

function memoryGroupOf(pid: number): string {
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  const v1 = /^\d+:(?:.*,)?memory(?:,[^:]*)?:(.+)$/m.exec(groups)?.[1];
  if (v1 !== undefined && existsSync(V1_MOUNT)) return join(V1_MOUNT, v1);
  return join(V2_MOUNT, /^0::(.+)$/m.exec(groups)?.[1] ?? "");
}
