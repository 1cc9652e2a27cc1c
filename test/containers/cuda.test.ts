/** The image for GPUs, as far as a machine without one can tell. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CUDA_WHEELS, PROVIDER_NAME } from "../../src/models/cuda/cuda-wheels.js";
import {
  addedFiles,
  docker,
  dockerAnswers,
  HARDENED,
  inspect,
  SAMPLE,
  tryDocker,
  variantImage,
} from "./support/docker.js";

const { image: CUDA_IMAGE, build } = variantImage("cuda");
const MAX_BYTES = 1_300_000_000;
const FOLDER = "usr/local/lib/rankmill-cuda";
const WORKER = ["-e", "REDIS_URL=redis://127.0.0.1:9", "-e", "RANKMILL_MODEL=builtin-bm25"];
const REFUSED = 2;

/** @returns what the container said, and its exit code */
async function run(args: readonly string[], command: readonly string[] = []) {
  const container = await docker(["create", ...HARDENED, ...args, CUDA_IMAGE, ...command]);
  const { stdout, stderr } = await tryDocker(["start", "--attach", container]);
  const code = Number(await inspect(container, "{{.State.ExitCode}}"));
  await docker(["rm", container]);
  return { code, stdout, stderr: stderr.trim() };
}

describe.skipIf(!dockerAnswers)("the image for GPUs", () => {
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rankmill-gpu-"));
    writeFileSync(join(folder, "nvidia0"), "");
    await build();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("stays within its size", async () => {
    const bytes = Number(await inspect(CUDA_IMAGE, "{{.Size}}"));
    process.stderr.write(`${bytes} bytes\n`);
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  it("is the other image with what CUDA needs, its licences, and nothing else", async () => {
    const added = await addedFiles(CUDA_IMAGE);
    const pinned = CUDA_WHEELS.flatMap(({ files }) => files.map(({ name }) => name));
    expect(added).toEqual(
      [...pinned, "libonnxruntime.so.1"].map((name) => `${FOLDER}/${name}`).sort(),
    );
    expect(pinned.filter((name) => name.startsWith("licenses/"))).toHaveLength(5);
  });

  it.each(["/bin/sh", "npm", "python3", "nvidia-smi"])("has no %s to start", async (program) => {
    const container = await docker(["create", "--entrypoint", program, CUDA_IMAGE, "--version"]);
    const said = await tryDocker(["start", container]);
    await docker(["rm", "--force", container]);
    expect(said.stderr).toMatch(/no such file|not found/i);
  });

  it("keeps user, health check and stop signal, and asks for GPUs", async () => {
    const container = await docker(["create", CUDA_IMAGE]);
    const config = JSON.parse(await inspect(container, "{{json .Config}}")) as {
      User: string;
      Env: string[];
      Healthcheck: { Test: string[] };
      Labels: Record<string, string>;
    };
    await docker(["rm", container]);
    expect(config.User).toBe("65532:65532");
    expect(config.Healthcheck.Test).toEqual(["CMD", "/app/workers/health.js"]);
    expect(config.Labels).toMatchObject({
      "org.opencontainers.image.title": "rankmill",
      "org.opencontainers.image.licenses": "Apache-2.0",
    });
    expect(config.Env).toEqual(
      expect.arrayContaining([
        "RANKMILL_DEVICE=cuda",
        "NVIDIA_VISIBLE_DEVICES=all",
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
      ]),
    );
  });

  it("finds every library that the provider names, but for the driver's", async () => {
    const program = `
      const { spawnSync } = require("node:child_process");
      const dir = "/${FOLDER}";
      const said = spawnSync("/lib64/ld-linux-x86-64.so.2", ["--library-path", dir, dir + "/${PROVIDER_NAME}"], { env: { LD_TRACE_LOADED_OBJECTS: "1" }, encoding: "utf8" });
      process.stdout.write(said.stdout);`;
    const { stdout } = await run(["--entrypoint=node"], ["-e", program]);
    const lines = stdout.split("\n").filter((line) => line.includes("=>"));
    expect(lines.length).toBeGreaterThan(5);
    const missing = lines.filter((line) => line.includes("not found"));
    expect(missing.map((line) => line.trim().split(" ")[0])).toEqual(["libcuda.so.1"]);
  });

  it("is refused in one line if the container got no GPU", async () => {
    const { code, stderr, stdout } = await run(WORKER);
    expect(code).toBe(REFUSED);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^rankmill: CUDA cannot be used: no NVIDIA device [^\n]*--gpus all$/);
  });

  it("is refused in one line if it got a device and no driver", async () => {
    const device = ["-v", `${join(folder, "nvidia0")}:/dev/nvidia0`];
    const { code, stderr } = await run([...device, ...WORKER]);
    expect(code).toBe(REFUSED);
    expect(stderr).toMatch(/^rankmill: CUDA cannot be used: the driver's library libcuda\.so\.1 /);
  });

  it("loads all of CUDA, up to the driver, if something stands in for the driver", async ({
    skip,
  }) => {
    const driver = join(folder, "libcuda.so.1");
    try {
      // The one function of the driver that the provider names itself.
      const source = "int cuTensorMapEncodeTiled(void) { return 999; }\n";
      const args = ["-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-x", "c", "-", "-o", driver];
      execFileSync("cc", args, { input: source });
    } catch {
      skip("no C compiler");
    }
    const device = ["-v", `${join(folder, "nvidia0")}:/dev/nvidia0`];
    const mounted = ["-v", `${driver}:/usr/lib64/libcuda.so.1:ro`];
    const { code, stderr } = await run([...device, ...mounted, ...WORKER]);
    expect(code).toBe(REFUSED);
    expect(stderr).toBe(
      "rankmill: CUDA cannot be used: CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version; install NVIDIA's driver 580 or newer, which CUDA 13 needs",
    );
  });

  it("reranks on the CPU if that is allowed, and says so aloud", async () => {
    const args = ["run", "--rm", "-i", ...HARDENED, "--network=none", "--tmpfs=/cache:mode=1777"];
    const said = await tryDocker(
      [
        ...args,
        "-e",
        "RANKMILL_DEVICE_FALLBACK=cpu",
        CUDA_IMAGE,
        "run",
        "--model=builtin-bm25",
        "--input=-",
        "--output=-",
      ],
      { input: readFileSync(SAMPLE) },
    );
    expect(said.stdout.trim().split("\n")).toHaveLength(54);
    expect(said.stderr).toContain(
      "device: CPU, the fallback that was asked for, because CUDA cannot be used",
    );
  });
});
