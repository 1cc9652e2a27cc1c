import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CUDA_WHEELS } from "../../src/models/cuda/cuda-wheels.js";
import { detectCuda, type CudaPlaces } from "../../src/inference/devices/cuda/detect-cuda.js";
import { runtimeDir } from "../../src/inference/runtime/installed-onnx-runtime.js";
import { Bench, rerank } from "../support/cli.js";
import { dist } from "../support/dist.js";
import { cudaLibraries, given } from "../support/needs.js";

/** A folder that `rankmill setup cuda --with-libraries` filled; a gigabyte, so it is not made here. */
const REAL_CUDA = process.env["RANKMILL_TEST_CUDA_DIR"];

let folder: string;
let dev: string;
let driver: string;
let cudaDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-detect-"));
  [dev, driver, cudaDir] = ["dev", "driver", "cuda"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const dir of [dev, driver, cudaDir]) await mkdir(dir);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function places(more: Partial<CudaPlaces> = {}): CudaPlaces {
  return {
    cudaDir,
    probeEntryPath: join(dist, "workers/cuda-probe.js"),
    env: {},
    deviceDir: dev,
    driverDirs: [driver],
    ...more,
  };
}

async function addGpus(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await writeFile(join(dev, `nvidia${i}`), "");
  await writeFile(join(dev, "nvidiactl"), "");
}

async function addDriver(): Promise<void> {
  await writeFile(join(driver, "libcuda.so.1"), "");
}

/** Files of the right names and sizes, empty on the disk. */
async function addProvider(): Promise<void> {
  for (const { files } of CUDA_WHEELS.filter(({ part }) => part === "provider")) {
    for (const { name, bytes } of files.filter((file) => file.name.includes(".so"))) {
      await writeFile(join(cudaDir, name), "");
      await truncate(join(cudaDir, name), bytes);
    }
  }
  await symlink(join(runtimeDir(), "libonnxruntime.so.1"), join(cudaDir, "libonnxruntime.so.1"));
}

/** Stands in for the process that tries CUDA. */
async function probeThat(does: string): Promise<string> {
  const path = join(folder, "probe.mjs");
  await writeFile(path, does);
  return path;
}

describe("the search for CUDA", () => {
  it("finds no device", async () => {
    expect(await detectCuda(places())).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("no NVIDIA device") as string,
    });
    await addGpus(2);
    expect(await detectCuda(places({ env: { CUDA_VISIBLE_DEVICES: "" } }))).toMatchObject({
      status: "absent",
    });
  });

  it("names what is missing: first the driver, then the provider", async () => {
    await addGpus(1);
    expect(await detectCuda(places())).toMatchObject({
      status: "unusable",
      reason: "the driver's library libcuda.so.1 is not here",
    });
    await addDriver();
    expect(await detectCuda(places())).toMatchObject({
      status: "unusable",
      reason: expect.stringContaining(
        `no libonnxruntime_providers_cuda.so in ${cudaDir}`,
      ) as string,
      remedy: 'run "rankmill setup cuda"',
    });
    // Half of a setup is none.
    await writeFile(join(cudaDir, "libonnxruntime_providers_cuda.so"), "torn");
    expect(await detectCuda(places())).toMatchObject({ remedy: 'run "rankmill setup cuda"' });
  });

  it("believes the process that tries it, and gives it the folder to load from", async () => {
    await addGpus(4);
    await addDriver();
    await addProvider();
    const probeEntryPath = await probeThat(`
      const path = process.env.LD_LIBRARY_PATH.split(":")[0];
      process.send(path === ${JSON.stringify(cudaDir)} ? { type: "works" } : { type: "failed", message: path });`);
    const env = { LD_LIBRARY_PATH: "/elsewhere", CUDA_VISIBLE_DEVICES: "0,2,3" };
    expect(await detectCuda(places({ probeEntryPath, env }))).toEqual({
      status: "works",
      found: { cards: 3, libraryDir: cudaDir },
    });
  });

  it.each([
    [
      "throws",
      'process.send({ type: "failed", message: "CUDA failure 35: too old ; GPU=-1" });',
      35,
    ],
    ["dies", "process.kill(process.pid, 'SIGSEGV');", "SIGSEGV"],
    ["only ends", "process.exit(7)", 7],
  ])("explains a process that %s", async (_how, does, word) => {
    await addGpus(1);
    await addDriver();
    await addProvider();
    expect(await detectCuda(places({ probeEntryPath: await probeThat(does) }))).toMatchObject({
      status: "unusable",
      reason: expect.stringContaining(String(word)) as string,
    });
  });

  it("finds a provider of another make unusable, whatever it does to the process", async () => {
    await addGpus(1);
    await addDriver();
    await addProvider();
    expect(await detectCuda(places())).toMatchObject({ status: "unusable" });
  });
});

describe("the real provider and NVIDIA's libraries", given(cudaLibraries), () => {
  it("load from a folder of their own until nothing but the driver is missing", async () => {
    await addGpus(1);
    await addDriver();
    const before = await readdir(runtimeDir());
    const state = await detectCuda(places({ cudaDir: REAL_CUDA ?? "" }));
    expect(state).toMatchObject({
      status: "unusable",
      reason: "the driver's library libcuda.so.1 is not here",
    });
    expect(await readdir(runtimeDir()), "nothing is written there").toEqual(before);
  });
});

describe("a command that should use CUDA on a machine without it", () => {
  let bench: Bench;
  const input = `${JSON.stringify({ id: "1", query: "q", documents: ["a q", "b"] })}\n`;
  beforeEach(async () => {
    // Hides the GPUs of a machine that has some.
    bench = await Bench.open({ CUDA_VISIBLE_DEVICES: "" });
  });
  afterEach(async () => {
    await bench.close();
  });

  it("is refused in one line with what to do", async () => {
    const exit = await bench.run(rerank("-", "-", "--device cuda"), { input });
    expect(exit).toMatchObject({ code: 2, stdout: "" });
    expect(exit.stderr.trim()).toMatch(
      /^rankmill: CUDA cannot be used: no NVIDIA device [^\n]*--gpus all$/,
    );
  });

  it("runs on the CPU if that is allowed, and says so aloud", async () => {
    const args = rerank("-", "-", "--device cuda --device-fallback cpu");
    const exit = await bench.run(args, { input });
    expect(exit.code).toBe(0);
    expect(exit.stderr).toMatch(
      /device: CPU, the fallback that was asked for, because CUDA cannot be used/,
    );
    expect(exit.stdout).toContain('"id":"1"');
  });

  it("runs on the CPU without a word of warning if no device was asked for", async () => {
    const exit = await bench.run(rerank("-", "-"), { input });
    expect(exit.code).toBe(0);
    expect(exit.stderr).not.toContain("CUDA");
  });
});
