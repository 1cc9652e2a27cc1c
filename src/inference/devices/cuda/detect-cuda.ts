/**
 * Tells whether lanes can use CUDA here. The first checks cost nothing: a device, the driver's library,
 * the provider's. If all of it is there a process of its own tries, since only that tells whether
 * driver, libraries and card fit together; whatever happens in it harms nobody.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  CUDA_RUNTIME_VERSION,
  CUDA_WHEELS,
  PROVIDER_NAME,
  RUNTIME_NAME,
} from "../../../models/cuda/cuda-wheels.js";
import type { DeviceState } from "../device.js";
import { explainCudaFailure, type CudaTrouble } from "./explain-cuda.js";
import { probeCuda } from "./probe-cuda.js";
import { runtimeDir, runtimeVersion } from "../../runtime/installed-onnx-runtime.js";
import { exists } from "../../../platform/files.js";

export interface CudaPlaces {
  /** Folder in which `rankmill setup cuda` put its files. */
  readonly cudaDir: string;
  /** The compiled `workers/cuda-probe.js`. */
  readonly probeEntryPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default `/dev`. */
  readonly deviceDir?: string | undefined;
  /** Default: the folders in which a driver puts its library, and what the loader's cache names. */
  readonly driverDirs?: readonly string[] | undefined;
}

/** The driver's library; comes with the driver, or with the container runtime, never with an image. */
const DRIVER_NAME = "libcuda.so.1";
const DRIVER_DIRS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/lib/wsl/lib",
  "/usr/local/nvidia/lib64",
  "/usr/local/cuda/compat",
];
const LOADER_CACHE = "/etc/ld.so.cache";

/** Looks, and tries if there is something to try. Never throws for what is missing. */
export async function detectCuda(places: CudaPlaces): Promise<DeviceState> {
  const { env, deviceDir = "/dev" } = places;
  const gpus = await countGpus(deviceDir, env);
  if (gpus === 0) {
    return {
      status: "absent",
      reason: `no NVIDIA device is visible (no ${deviceDir}/nvidia0)`,
      remedy: "install NVIDIA's driver; start a container with --gpus all",
    };
  }
  const trouble = await whatIsMissing(places);
  if (trouble !== undefined) return { status: "unusable", ...trouble };
  const libraryDir = await libraryDirOf(places.cudaDir);
  const probed = await probeCuda({ entryPath: places.probeEntryPath, env, libraryDir });
  if (probed.status === "works") return { status: "works", found: { cards: gpus, libraryDir } };
  return { status: "unusable", ...explainCudaFailure(probed.said) };
}

/** A device node per GPU; under WSL one for all. Fewer if the environment hides some. */
async function countGpus(
  deviceDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const names = await readdir(deviceDir).catch((): string[] => []);
  const nodes = names.filter((name) => /^nvidia\d+$/.test(name)).length;
  const devices = nodes === 0 && names.includes("dxg") ? 1 : nodes;
  const visible = env["CUDA_VISIBLE_DEVICES"];
  if (visible === undefined || devices === 0) return devices;
  const listed = visible.split(",").filter((one) => one.trim() !== "" && one.trim() !== "-1");
  return Math.min(devices, listed.length);
}

async function whatIsMissing(places: CudaPlaces): Promise<CudaTrouble | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      reason: `onnxruntime-node brings CUDA to linux on x64 only, this is ${process.platform} on ${process.arch}`,
      remedy: "use the CPU as device",
    };
  }
  if (!(await hasDriver(places))) return explainCudaFailure(`${DRIVER_NAME}: cannot open`);
  const version = await runtimeVersion();
  const own = await libraryDirOf(places.cudaDir);
  if (own === undefined && !(await exists(join(runtimeDir(), PROVIDER_NAME)))) {
    return {
      reason: `ONNX Runtime's CUDA provider is not here (no ${PROVIDER_NAME} in ${places.cudaDir})`,
      remedy: 'run "rankmill setup cuda"',
    };
  }
  if (own !== undefined && version !== CUDA_RUNTIME_VERSION) {
    return {
      reason: `the CUDA provider in ${own} is for onnxruntime-node ${CUDA_RUNTIME_VERSION}, installed is ${version}`,
      remedy: `install onnxruntime-node@${CUDA_RUNTIME_VERSION}`,
    };
  }
  return undefined;
}

/** @returns `cudaDir` if a complete provider lies in it; undefined if lanes look for it without */
async function libraryDirOf(cudaDir: string): Promise<string | undefined> {
  const provider = CUDA_WHEELS.filter((wheel) => wheel.part === "provider");
  const files = provider.flatMap((wheel) => wheel.files).filter(({ name }) => name.includes(".so"));
  for (const { name, bytes } of files) {
    const found = await stat(join(cudaDir, name)).catch(() => undefined);
    if (found?.size !== bytes) return undefined;
  }
  return (await exists(join(cudaDir, RUNTIME_NAME))) ? cudaDir : undefined;
}

async function hasDriver({ env, driverDirs }: CudaPlaces): Promise<boolean> {
  const asked = (env["LD_LIBRARY_PATH"] ?? "").split(":").filter((dir) => dir !== "");
  for (const dir of [...asked, ...(driverDirs ?? DRIVER_DIRS)]) {
    if (await exists(join(dir, DRIVER_NAME))) return true;
  }
  if (driverDirs !== undefined) return false;
  const cache = await readFile(LOADER_CACHE, "latin1").catch(() => "");
  return cache.includes(`/${DRIVER_NAME}\0`);
}
