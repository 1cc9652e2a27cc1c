/** The progress of runs as server-sent events. */
import { z } from "zod";
import { watchRuns } from "../../../src/app/tenants/watch-runs.js";
import { progressObject } from "../answers/run.js";
import type { RouteModule } from "../env.js";
import { hangUpSignal } from "../hang-up.js";
import { parseWith } from "../read-json.js";
import { requireScope } from "../rights.js";
import { streamLines } from "../stream-lines.js";

const MAX_WATCHED_RUNS = 20;
/** Rounds without news after which a comment is sent: a connection that is silent for long is closed. */
const QUIET_ROUNDS = 8;

export const eventsSchema = z.strictObject({
  run: z
    .array(z.string())
    .max(MAX_WATCHED_RUNS)
    .optional()
    .describe("Runs to watch; without it the newest that are at work."),
});

export const eventRoutes: RouteModule = (app, { tenants, slots, stopping }) => {
  app.get("/v1/events", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "read", "runs");
    const { run: given } = parseWith(eventsSchema, context.req.queries());
    const newest = async (): Promise<string[]> => {
      const { runs } = await tenants.runs.page(caller, undefined, MAX_WATCHED_RUNS);
      return runs.flatMap(([id, { state }]) => (state.startsWith("submit") ? [id] : []));
    };
    const opened = await Promise.all(
      (given ?? (await newest())).map(async (id) => (await tenants.runs.open(caller, id)).run),
    );
    slots.take(caller.keyId, context.env.outgoing);
    const signal = hangUpSignal(context.env.outgoing, stopping);
    context.header("Content-Type", "text/event-stream");
    context.header("X-Accel-Buffering", "no");
    return context.body(streamLines(events(opened, signal), 1) as ReadableStream);
  });
};

async function* events(
  ...watched: Parameters<typeof watchRuns>
): AsyncGenerator<string, void, undefined> {
  let quiet = 0;
  for await (const progress of watchRuns(...watched)) {
    if (progress === "quiet") {
      quiet += 1;
      if (quiet % QUIET_ROUNDS === 0) yield ": nothing new\n";
      continue;
    }
    quiet = 0;
    const { id, status } = progress;
    yield `event: run\ndata: ${JSON.stringify(progressObject(id, status))}\n`;
  }
  yield "event: end\ndata: {}\n";
}
