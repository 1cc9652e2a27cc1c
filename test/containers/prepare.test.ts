import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Compose,
  docker,
  dockerAnswers,
  healthOf,
  IMAGE,
  inspect,
  logsOf,
  until,
} from "./support/docker.js";
import { writeWideModel } from "./support/wide-model.js";

const REPLICAS = 2;

/** Inodes of prepared files that the processes of a worker have mapped. */
async function mappedIn(container: string): Promise<string[]> {
  const program = `
    const { readdirSync, readFileSync } = require("node:fs");
    const found = new Set();
    for (const pid of readdirSync("/proc").filter((name) => /^\\d+$/.test(name))) {
      let maps = "";
      try { maps = readFileSync("/proc/" + pid + "/maps", "utf8"); } catch {}
      for (const line of maps.split("\\n")) {
        const [, inode, path] = /^\\S+ \\S+ \\S+ \\S+ (\\d+) +(\\/cache\\/rankmill\\/prepared\\/\\S+)/.exec(line) ?? [];
        if (path !== undefined) found.add(inode);
      }
    }
    console.log([...found].join("\\n"));`;
  const said = await docker(["exec", container, "node", "-e", program]);
  return said.split("\n").filter((line) => line !== "");
}

describe.skipIf(!dockerAnswers)("a fleet's model", () => {
  let folder: string;
  let fleet: Compose;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rankmill-prepare-"));
    writeWideModel(join(folder, "wide"));
    chmodSync(folder, 0o755);
    fleet = new Compose(`rankmill-test-prepare-${process.pid}`, {
      RANKMILL_IMAGE: IMAGE,
      RANKMILL_MODELS: folder,
      RANKMILL_MODEL: "/models/wide",
      RANKMILL_CPUS: "0.5",
      RANKMILL_MEM_LIMIT: "1g",
    });
  });
  afterAll(async () => {
    await fleet.down();
    rmSync(folder, { recursive: true, force: true });
  });

  async function up(): Promise<string[]> {
    await fleet.run("up", "-d", "--no-build", "--scale", `worker=${REPLICAS}`);
    await until("all workers are healthy", async () => {
      const states = await Promise.all((await fleet.containers("worker")).map(healthOf));
      return states.length === REPLICAS && states.every((state) => state === "healthy");
    });
    return await fleet.containers("worker");
  }

  it("is compiled and measured before workers start, and mapped by all of them", async () => {
    const workers = await up();
    const [prepare = ""] = await fleet.containers("prepare", "--all");
    expect(await inspect(prepare, "{{.State.ExitCode}}")).toBe("0");
    expect(await logsOf(prepare)).toContain(`"msg":"calibrated"`);
    for (const worker of workers) {
      const log = await logsOf(worker);
      expect(log).toContain(`"msg":"prepared model reused"`);
      expect(log).not.toContain(`"msg":"calibrated"`);
    }
    const mapped = await Promise.all(workers.map(mappedIn));
    expect(mapped[0]).not.toEqual([]);
    expect(mapped[1]).toEqual(mapped[0]);
  });

  it("is left as it is when the fleet comes up again", async () => {
    const [prepare = ""] = await fleet.containers("prepare", "--all");
    await fleet.run("stop");
    await up();
    const said = await logsOf((await fleet.containers("prepare", "--all"))[0] ?? prepare);
    expect(said).toContain("is prepared already");
    expect(said.split(`"msg":"calibrated"`)).toHaveLength(2);
  });
});
