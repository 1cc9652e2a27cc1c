import { HARDENED } from "../../containers/support/docker.js";
import { BenchContainer } from "../support/container.js";

export interface ReplicaOptions {
  readonly image: string;
  /** Name of a model that comes with the image, or an absolute folder. */
  readonly model: string;
  readonly precision: string;
  readonly redisFolder: string;
  readonly redisSocket: string;
  /** Volume of what is made of a model. */
  readonly cache: string;
}

export interface Replica {
  readonly container: BenchContainer;
  /** The time from `docker run` to the line that says so. */
  readonly readySeconds: number;
  /** Processor time until then. */
  readonly readyCpuSeconds: number;
}

/** Starts one worker with one core, as an operator would, and waits until it is ready. */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { model, redisFolder, redisSocket } = options;
  const mounts = model.startsWith("/") ? [`--volume=${model}:${model}:ro`] : [];
  const container = await BenchContainer.start({
    image: options.image,
    args: [
      ...HARDENED,
      "--cpus=1",
      "--memory=4g",
      "--network=none",
      `--volume=${options.cache}:/cache`,
      `--volume=${redisFolder}:${redisFolder}`,
      ...mounts,
    ],
    command: [
      "worker",
      "--model",
      model,
      "--precision",
      options.precision,
      "--redis-url",
      `unix://${redisSocket}`,
    ],
  });
  try {
    await container.says((line) => line.includes(`"msg":"ready"`));
  } catch (error) {
    await container.remove();
    throw error;
  }
  return {
    container,
    readySeconds: (performance.now() - container.startedMs) / 1_000,
    readyCpuSeconds: container.cpuSeconds,
  };
}
