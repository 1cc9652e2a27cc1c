import process from "node:process";
import { counted, countedAre } from "../../src/core/counted.js";
import type { RunFileEvent, RunFigures, ShowRun } from "../../src/app/run-file/run-file-options.js";
import { failureLine } from "../../src/core/record.js";
import { cutText } from "./cut-text.js";
import { LiveBlock } from "./live-block.js";
import { paint } from "./painted.js";
import { shownPath } from "./shown-path.js";
import { rankingsOut, say } from "./terminal.js";
import { Progress } from "./progress.js";

/** A longer name of a model is cut: the line fits 60 columns. */
const MOST_NAME_COLUMNS = 40;

/** Events that a person should act on, or know of when looking at the rankings. */
const WARNINGS: ReadonlySet<RunFileEvent["type"]> = new Set([
  "redis-warning",
  "input-changed",
  "rankings-damaged",
  "rankings-twice",
  "input-empty",
  "record-failed",
  "redis-silent",
]);

/**
 * Shows a run on the terminal: events as sentences, a bar while it is under way.
 *
 * @param output the path of the rankings, or `-`
 * @param model its name for people
 */
export function showRun(output: string, model: string): ShowRun {
  const isLive = process.stderr.isTTY && !(output === "-" && process.stdout.isTTY);
  // Model, Redis and lanes may take a while; the end of the process takes the block away if nothing follows.
  const starting = isLive ? new LiveBlock(process.stderr) : undefined;
  starting?.draw([paint("dim", `starting ${cutText(model, MOST_NAME_COLUMNS)} …`)]);
  let progress: Progress | undefined;
  return {
    onEvent: (event) => {
      // Nothing moves any more; the line stands alone.
      if (event.type === "stopping") progress?.stop();
      if (event.type === "stopping") starting?.end();
      // In a log this may help to find a cause; a person at a terminal did not ask for it.
      if (event.type === "redis-started" && process.stderr.isTTY) return;
      const line = describe(event, output);
      say(isWarning(event) ? paint("yellow", line) : line);
    },
    rankings: rankingsOut(output),
    progress: (figures: () => RunFigures) => {
      starting?.end();
      progress = new Progress(process.stderr, figures, isLive);
      return progress;
    },
  };
}

function isWarning({ type }: RunFileEvent): boolean {
  return WARNINGS.has(type);
}

function describe(event: RunFileEvent, output: string): string {
  switch (event.type) {
    case "redis-warning":
      return event.message;
    case "redis-started":
      return event.note;
    case "resumed":
      return `going on with ${shownPath(event.path, output)}: ${countedAre(event.done, "record")} ranked already`;
    case "input-changed":
      return `the input has changed since an older rankmill ranked ${event.input ?? "it"}: rankings are kept by id; if records were edited and not only added, start over with --force-new`;
    case "rankings-damaged":
      return `${shownPath(event.path, output)}: ${countedAre(event.count, "ranking")} damaged: left out, to be ranked anew`;
    case "rankings-twice":
      return `${shownPath(event.path, output)}: ${countedAre(event.count, "record")} ranked twice: the newer ranking of each stays`;
    case "input-empty":
      return `${event.input === "-" ? "standard input" : event.input} holds no record`;
    case "output-note":
      return event.text;
    case "record-failed":
      return failureLine(event.failure);
    case "stopping":
      return `stopping within ${event.mostSeconds} s: ${counted(event.inHand, "job")} in hand (Ctrl-C: end at once)`;
    case "redis-silent":
      return `Redis has not answered for ${seconds(event.silentMs)}: the run waits for it; Ctrl-C ends it, and the same command goes on`;
    case "redis-answers":
      break;
  }
  return `Redis answers again, after ${seconds(event.silentMs)}`;
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1_000))} s`;
}
