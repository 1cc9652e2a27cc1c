import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { OpenWay } from "../engine/way.js";

const PROGRAM = fileURLToPath(new URL("peer.py", import.meta.url));

const scoredSchema = z.object({ seconds: z.number(), logits: z.array(z.array(z.number())) });

export interface PeerOptions {
  /** Python of the environment in which the peers are installed. */
  readonly python: string;
  readonly name: string;
  /** A folder, or the file that the peer reads instead. */
  readonly model: string;
  readonly maxLength: number;
}

/** Opens a peer in a process of its own. @throws with the last words of the peer if it ends */
export async function openPeerWay(options: PeerOptions): Promise<OpenWay> {
  const args = [PROGRAM, "--peer", options.name, "--model", options.model];
  args.push("--threads", String(availableParallelism()), "--max-length", String(options.maxLength));
  const started = performance.now();
  const child = spawn(options.python, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" },
  });
  let said = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (said = (said + text).slice(-4_000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${options.name} ended: ${said.trim()}`);
    return JSON.parse(line.value);
  };
  await answer();
  return {
    startSeconds: (performance.now() - started) / 1000,
    pid: child.pid,
    score: async (jobs) => {
      const texts = jobs.map(({ query, documents }) => ({ query, documents }));
      child.stdin.write(`${JSON.stringify(texts)}\n`);
      return scoredSchema.parse(await answer());
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
