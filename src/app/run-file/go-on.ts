import type { NewJob } from "../../core/job.js";
import type { InputRecord, ValidRecord } from "../../core/record.js";
import type { RunOutput } from "../../outputs/run-output.js";

/** Jobs released in one go. */
const CHUNK_JOBS = 200;

export interface LeftJobs {
  readonly makeJob: (record: ValidRecord) => NewJob;
  readonly release: (jobIds: readonly string[]) => Promise<void>;
}

/**
 * The records that earlier starts have left unranked. On the way it releases the jobs of the newest rankings: a start
 * that is killed after it has written a ranking, and before it releases the job, leaves the job's keys in Redis.
 */
export async function* goOn(
  file: RunOutput,
  records: AsyncIterable<InputRecord>,
  { makeJob, release }: LeftJobs,
): AsyncGenerator<InputRecord, void, undefined> {
  let jobIds: string[] = [];
  let met = 0;
  const onNewest = async (record: ValidRecord): Promise<void> => {
    met += 1;
    jobIds.push(makeJob(record).jobId);
    if (jobIds.length < CHUNK_JOBS && met < file.done.newest.size) return;
    await release(jobIds);
    jobIds = [];
  };
  yield* file.unranked(records, onNewest);
  if (jobIds.length > 0) await release(jobIds);
}
