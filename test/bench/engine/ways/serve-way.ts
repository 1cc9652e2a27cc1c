/** The child's side of child-way.ts. */
import { setPriority } from "node:os";
import process from "node:process";
import type { BenchJob, Scored, WayOptions } from "../way.js";

export type ToWay =
  | { readonly type: "open"; readonly options: WayOptions }
  | { readonly type: "score"; readonly jobs: readonly Pick<BenchJob, "query" | "documents">[] };

export type FromWay =
  | { readonly type: "ready" }
  | ({ readonly type: "scored" } & Scored)
  | { readonly type: "failed"; readonly message: string };

/** That of rankmill's lanes: whatever else the machine does must not favour one of the ways. */
export const NICENESS = 10;

export type ScoreJobs = (jobs: readonly Pick<BenchJob, "query" | "documents">[]) => Promise<Scored>;

function send(message: FromWay): void {
  process.send?.(message);
}

/** Serves the parent until it disconnects. */
export function serveWay(open: (options: WayOptions) => Promise<ScoreJobs>): void {
  setPriority(NICENESS);
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
  let score: ScoreJobs | undefined;
  const handle = async (message: ToWay): Promise<void> => {
    try {
      if (message.type === "open") {
        score = await open(message.options);
        send({ type: "ready" });
      } else if (score !== undefined) {
        send({ type: "scored", ...(await score(message.jobs)) });
      }
    } catch (error) {
      send({ type: "failed", message: String(error) });
    }
  };
  process.on("message", (message: ToWay) => void handle(message));
  process.on("disconnect", () => process.exit());
}
