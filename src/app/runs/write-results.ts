import { RankmillError } from "../../core/errors.js";
import { ResultFiles } from "../../outputs/result-files.js";
import { StreamOutput } from "../../outputs/stream-output.js";
import type { ResultStreams, Run, RunCall, WrittenResults } from "./run.js";

/** Writes what is done of `run` into files, or to `streams` if `output` is `-`. */
export async function writeResults(
  run: Pick<Run, "id" | "items" | "status">,
  output: string,
  streams?: ResultStreams,
  call: RunCall = {},
): Promise<WrittenResults> {
  const files = output === "-" ? undefined : await ResultFiles.open(output, run.id);
  const sink = files ?? streamsOutput(streams);
  let open = 0;
  try {
    for await (const item of run.items(call)) {
      if (item.status === "open") open += 1;
      else if (item.status === "done") await sink.write([item.line]);
      else await sink.fail([item.failure]);
    }
    await files?.close();
  } catch (error) {
    await files?.discard();
    throw error;
  }
  const over = open === 0 && (await run.status(call)).over;
  return { ranked: sink.counts.done, failed: sink.counts.failed, open, over };
}

function streamsOutput(streams: ResultStreams | undefined): StreamOutput {
  if (streams !== undefined) return new StreamOutput(streams.stdout, streams.onFailure);
  throw new RankmillError("invalid_option", "output -: stands for a stream, and none is given");
}
