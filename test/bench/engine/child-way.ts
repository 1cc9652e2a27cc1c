import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { OpenWay, WayOptions } from "./way.js";
import type { FromWay, ToWay } from "./ways/serve-way.js";

/** Starts a TypeScript program of this folder with an IPC channel that carries typed arrays. */
export function forkProgram(program: string): ChildProcess {
  return fork(fileURLToPath(new URL(program, import.meta.url)), [], {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
  });
}

/** The next message of `child`. @throws if it ends instead */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([message]) => message as T),
      once(child, "exit", { signal }).then(([code, how]) => {
        throw new Error(`${child.spawnargs.at(-1) ?? "a child"} ended: ${String(code ?? how)}`);
      }),
    ]);
  } finally {
    settled.abort();
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Opens a way that is one process with a BullMQ worker of its own. */
export async function openChildWay(program: string, options: WayOptions): Promise<OpenWay> {
  const child = forkProgram(program);
  const ask = async (message: ToWay): Promise<FromWay> => {
    child.send(message);
    const answer = await nextMessage<FromWay>(child);
    if (answer.type === "failed") throw new Error(`${program}: ${answer.message}`);
    return answer;
  };
  await ask({ type: "open", options });
  return {
    score: async (jobs) => {
      const answer = await ask({
        type: "score",
        jobs: jobs.map(({ query, documents }) => ({ query, documents })),
      });
      if (answer.type !== "scored") throw new Error(`${program} did not score`);
      return answer;
    },
    close: () => stopChild(child),
  };
}
