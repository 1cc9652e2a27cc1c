import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const V1_MOUNT = "/sys/fs/cgroup/memory";
const V2_MOUNT = "/sys/fs/cgroup";

/**
 * A control group with a hard memory limit, made for one experiment: what a container has, without
 * the container. Needs root.
 */
export class MemoryGroup {
  readonly folder: string;
  readonly version: "v1" | "v2";

  /** @throws where this process may not make one */
  constructor(name: string, limitBytes: number) {
    this.version = existsSync(join(V2_MOUNT, "cgroup.controllers")) ? "v2" : "v1";
    this.folder = join(this.version === "v2" ? V2_MOUNT : V1_MOUNT, name);
    mkdirSync(this.folder);
    this.#write(this.version === "v2" ? "memory.max" : "memory.limit_in_bytes", String(limitBytes));
    // Swapping would hide what the limit is there to show; absent where the machine has none.
    for (const file of ["memory.swap.max", "memory.swappiness"]) {
      if (existsSync(join(this.folder, file))) this.#write(file, "0");
    }
  }

  /** Prefix of a command line that runs it inside the group. */
  get enter(): readonly string[] {
    return ["sh", "-c", `echo $$ > ${join(this.folder, "cgroup.procs")} && exec "$@"`, "sh"];
  }

  /** Most that the group held at once, page cache included, which the kernel drops when it must. */
  get peakBytes(): number {
    return Number(this.#read(this.version === "v2" ? "memory.peak" : "memory.max_usage_in_bytes"));
  }

  /** Memory that processes hold now, without page cache. */
  get heldBytes(): number {
    const [, bytes] = /^(?:total_rss|anon) (\d+)$/m.exec(this.#read("memory.stat")) ?? [];
    return Number(bytes ?? 0);
  }

  /** Processes that the kernel killed in it. */
  get kills(): number {
    const text = this.#read(this.version === "v2" ? "memory.events" : "memory.oom_control");
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** Every process must have left. */
  async remove(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        rmdirSync(this.folder);
        return;
      } catch (error) {
        if (attempt > 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8").trim();
  }

  #write(file: string, value: string): void {
    writeFileSync(join(this.folder, file), value);
  }
}

export function canLimitMemory(): boolean {
  return process.getuid?.() === 0 && existsSync(V2_MOUNT);
}
