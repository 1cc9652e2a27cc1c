import { encodeParts } from "./encode/encode-documents.js";
import { TokenisingGate } from "./encode/tokenising-gate.js";
import {
  parseRequest,
  rankingLine,
  type Limits,
  type RerankRequest,
  type WireRanking,
} from "../core/contract.js";
import { describeError, isRetryable, RankmillError } from "../core/errors.js";
import type { JobEnd, JobEnvelope, JobSummary, ResolvedScoring, TakenJob } from "../core/job.js";
import { parseEnvelope } from "../core/job-envelope.js";
import { damaged } from "../core/stored-json.js";
import type { PairTemplate } from "../core/pair-assembly.js";
import type { Permits } from "../platform/permits.js";
import type { EncodedPair, PairOutcome } from "../core/pair.js";
import type { LaneTime, PairScorer } from "../core/ports/pair-scorer.js";
import type { Tokenizer } from "../core/ports/tokenizer.js";
import { rank } from "../core/rank.js";
import { DocumentScores, type PairPart } from "../core/document-score.js";
import { checkInstruction, takesInstruction } from "../core/prompt.js";
import { checkMaxLength, resolveScoring } from "../core/scoring.js";
import type { Activation } from "../core/activation.js";
import type { PayloadStore } from "../core/ports/payload-store.js";
import { tokenisedPart, type ResultStore } from "../core/ports/result-store.js";
import { ignoreWork, type ObserveWork } from "../core/work-events.js";

export interface JobProcessorParts {
  readonly model: { readonly name: string; readonly activation: Activation };
  /** Highest `maxLength` that the model can read, tokens. */
  readonly highestMaxLength: number;
  readonly tokenizer: Tokenizer;
  readonly template: PairTemplate;
  readonly scorer: PairScorer;
  readonly results: ResultStore;
  readonly payloads: PayloadStore;
  /** Room for requests in memory, over all jobs; asked with the bytes of a request's JSON. */
  readonly payloadBytes: Pick<Permits, "acquire">;
  readonly limits: Limits;
  readonly observe?: ObserveWork | undefined;
}

/**
 * Attempts after which a job's pairs run one at a time under count: something in it may be killing
 * whole workers, and the survivors must learn which pair it is.
 */
const CAREFUL_AFTER_ATTEMPTS = 4;
/** The time for which the failure of a job is kept that names no time itself. */
const UNKNOWN_TTL_SECONDS = 86_400;
/**
 * Attempts after which a job is tokenised alone under count. Its first attempt is not counted: that
 * would cost every job two commands to Redis.
 */
const TOKENISED_ALONE_AFTER_ATTEMPTS = 1;
/** Times a pair, or a job on its way to pairs, may have been alone in hand when its worker vanished. */
const MAX_ACCUSATIONS = 3;

/** Takes a job from its documents to its ranking in the result store. */
export class JobProcessor {
  readonly #parts: JobProcessorParts;
  readonly #observe: ObserveWork;
  readonly #tokenising = new TokenisingGate();

  constructor(parts: JobProcessorParts) {
    this.#parts = parts;
    this.#observe = parts.observe ?? ignoreWork;
  }

  /**
   * Scores the job and writes its record before it returns. A job that ended before (its worker
   * died between writing and reporting) is not scored again.
   *
   * @throws whatever made this attempt fail; if no other will follow, a failure record has been
   *   written first. `cancelled` if `signal` aborted: nothing is written, another may hold it.
   *   `unwanted` before any work
   */
  async process(job: TakenJob, signal: AbortSignal): Promise<JobSummary> {
    const { results } = this.#parts;
    const started = await results.begin(job.jobId);
    const envelope = parseEnvelope(job.envelope);
    if (started.status === "ended") {
      return { pairs: envelope?.pairs ?? 0, tokens: 0, truncated: 0, failedPairs: 0 };
    }
    if (started.status === "unwanted") {
      throw new RankmillError("unwanted", "nobody waits for the job any more");
    }
    const { fence, attempts } = started;
    try {
      if (envelope === undefined) throw damaged("the job in Redis", "its fields do not fit");
      const { line, summary } = await this.#score(job, envelope, attempts, signal);
      await this.#commit(job.jobId, fence, { status: "done", line }, envelope.ttlSeconds);
      return summary;
    } catch (error) {
      if (signal.aborted) {
        throw new RankmillError("cancelled", "the attempt was cancelled", { cause: error });
      }
      if (!isRetryable(error) || job.lastAttempt) {
        const record = { status: "failed", ...describeError(error) } as const;
        await this.#commit(job.jobId, fence, record, envelope?.ttlSeconds ?? UNKNOWN_TTL_SECONDS);
      }
      throw error;
    }
  }

  async #commit(jobId: string, fence: number, end: JobEnd, ttlSeconds: number): Promise<void> {
    const written = await this.#parts.results.commit(jobId, fence, end, ttlSeconds);
    // A newer attempt holds the job, and its record is the one that counts.
    if (!written) this.#observe({ type: "commit-refused" });
  }

  async #score(
    job: TakenJob,
    envelope: JobEnvelope,
    attempts: number,
    signal: AbortSignal,
  ): Promise<{ line: string; summary: JobSummary }> {
    const { model, tokenizer, template, payloadBytes, limits } = this.#parts;
    const { bytes } = envelope;
    // Before it is read: this worker may hold less than producers may send.
    if (bytes > limits.maxJobBytes) {
      const message = `the job has ${bytes} bytes, over this worker's limit of ${limits.maxJobBytes}`;
      throw new RankmillError("limit_exceeded", message, {
        field: "job",
        limit: { name: "maxJobBytes", value: bytes, max: limits.maxJobBytes, unit: "bytes" },
        context: { jobId: job.jobId },
      });
    }
    const release = await payloadBytes.acquire(bytes, signal);
    try {
      const request = await this.#read(job.jobId, envelope);
      const scoring = this.#checkOptions(envelope);
      const readings = new DocumentScores(request.documents.length);
      let pairsBefore = 0;
      let encodingMs = 0;
      const time: LaneTime = { laneMs: 0 };
      let encodingSinceMs = performance.now();
      const parts = encodeParts(request, scoring, { tokenizer, template }, signal);
      for (let partNumber = 0; ; partNumber += 1) {
        const place = { jobId: job.jobId, part: tokenisedPart(partNumber) };
        const { value: part } = await this.#nextPart(parts, place, attempts);
        encodingMs += performance.now() - encodingSinceMs;
        if (part === undefined) break;
        const outcomes =
          attempts > CAREFUL_AFTER_ATTEMPTS
            ? await this.#scoreCarefully(job, part.pairs, { pairsBefore, time }, signal)
            : await this.#parts.scorer.score(part.pairs, job.priority, signal, time);
        readings.add(part, outcomes);
        pairsBefore += part.pairs.length;
        encodingSinceMs = performance.now();
      }
      this.#observe({ type: "tokenized", tookMs: encodingMs });
      signal.throwIfAborted();
      const activation = scoring.score === "logit" ? "identity" : model.activation;
      const ranking = rank(request, readings.all(), { name: model.name, activation });
      const failedPairs = ranking.errors?.length ?? 0;
      // A ranking in a file is the same however long it took: only whoever waits for an answer is told.
      const times =
        envelope.requestId === undefined ? {} : { times: timesOf(encodingMs, time.laneMs) };
      return {
        line: rankingLine({ ...ranking, ...times }, request.metadataText),
        summary: { ...ranking.usage, failedPairs },
      };
    } finally {
      release();
    }
  }

  /**
   * The job's next pairs. A job that may be killing workers is tokenised alone, under count: each part
   * has a count of its own, which the parts that worked before it do not clear.
   */
  async #nextPart(
    parts: AsyncGenerator<PairPart, void, undefined>,
    { jobId, part }: { readonly jobId: string; readonly part: number },
    attempts: number,
  ): Promise<IteratorResult<PairPart, void>> {
    const { results } = this.#parts;
    const alone = attempts > TOKENISED_ALONE_AFTER_ATTEMPTS;
    return await this.#tokenising.run(alone, async () => {
      if (!alone) return await parts.next();
      const times = await results.accuse(jobId, part);
      try {
        if (times <= MAX_ACCUSATIONS) return await parts.next();
      } finally {
        if (times <= MAX_ACCUSATIONS) await results.absolve(jobId, part);
      }
      const message = `its worker died ${MAX_ACCUSATIONS} times while this job alone was being tokenised: one of its texts kills the tokenizer. Find it by sending the documents one by one`;
      throw new RankmillError("job_killed_worker", message, { context: { jobId } });
    });
  }

  async #read(jobId: string, envelope: JobEnvelope): Promise<RerankRequest> {
    const { request, bytes } = envelope;
    // Permits were taken for what the envelope says: it must not be less than what there is.
    if (request !== undefined && Buffer.byteLength(request) > bytes) {
      throw damaged(
        `job ${jobId} in Redis`,
        `its request has more than the ${bytes} bytes it says`,
      );
    }
    const text = request ?? (await this.#parts.payloads.read(jobId, bytes));
    if (text === undefined) {
      throw new RankmillError("payload_missing", "the job's payload is no longer in Redis", {
        context: { jobId },
      });
    }
    try {
      return parseRequest(parseJson(text), this.#parts.limits, envelope.bytes, jobId);
    } catch (error) {
      if (!(error instanceof RankmillError) || error.code !== "limit_exceeded") throw error;
      // Its producer let it pass: who reads this must know whose limit to raise.
      throw new RankmillError("limit_exceeded", `${error.message}, as the worker is set`, {
        field: error.field,
        limit: error.limit,
        context: { jobId },
        cause: error,
      });
    }
  }

  #checkOptions({ options }: JobEnvelope): ResolvedScoring {
    const { highestMaxLength, model } = this.#parts;
    const scoring = resolveScoring(options);
    checkMaxLength(scoring.maxLength, highestMaxLength, model.name);
    const { prompt } = this.#parts.template;
    const takesOne = prompt !== undefined && takesInstruction(prompt);
    checkInstruction(scoring.instruction, takesOne, model.name);
    return scoring;
  }

  /** @param at `pairsBefore`: pairs of the job that come before these; each has a count of its own */
  async #scoreCarefully(
    job: TakenJob,
    pairs: readonly EncodedPair[],
    at: { readonly pairsBefore: number; readonly time: LaneTime },
    signal: AbortSignal,
  ): Promise<PairOutcome[]> {
    const { results, scorer } = this.#parts;
    const outcomes: PairOutcome[] = [];
    for (const [place, pair] of pairs.entries()) {
      const index = at.pairsBefore + place;
      const times = await results.accuse(job.jobId, index);
      if (times > MAX_ACCUSATIONS) {
        const message = `its worker vanished ${times - 1} times with this pair of ${pair.ids.length} tokens alone in hand`;
        this.#observe({ type: "settled", outcome: "pair_killed_lane", pairs: 1 });
        outcomes.push({ status: "failed", code: "pair_killed_lane", message });
        continue;
      }
      outcomes.push(...(await scorer.score([pair], job.priority, signal, at.time)));
      await results.absolve(job.jobId, index);
    }
    return outcomes;
  }
}

function timesOf(tokenizationMs: number, inferenceMs: number): NonNullable<WireRanking["times"]> {
  return { tokenization_ms: rounded(tokenizationMs), inference_ms: rounded(inferenceMs) };
}

/** Microseconds are enough: more digits say nothing. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RankmillError("invalid_json", "the job's request is not JSON", { cause: error });
  }
}
