/** The time that a run will take, from parts of its work that were measured. */

/** Measured parts of a run's work. Seconds are those of one core. */
export interface MeasuredWork {
  /** From a lane's start until it was ready, and what else a run starts. */
  readonly startSeconds: number;
  /** Cores that lanes and tokenizer share. */
  readonly cores: number;
  readonly lanes: number;
  /** False if lanes work on devices of their own, and take no core. */
  readonly lanesTakeCores: boolean;
  /** Pairs that the model will read. */
  readonly pairs: number;
  /** Pairs per second of one lane, with all lanes at work. */
  readonly pairsPerSecond: number;
  /** Different documents: each is tokenised once, and found again afterwards. */
  readonly differentDocuments: number;
  readonly tokenizedPerSecond: number;
  /** Reading the input, and making, packing and reading jobs. */
  readonly handlingSeconds: number;
}

/** A forecast with its arithmetic. */
export interface TimeForecast extends MeasuredWork {
  /** `pairs / pairsPerSecond` */
  readonly scoringSeconds: number;
  /** `differentDocuments / tokenizedPerSecond` */
  readonly tokenizingSeconds: number;
  /** The work of all cores after one another; the lanes' own if they take no cores. */
  readonly workSeconds: number;
  readonly expectedSeconds: number;
}

/** The slower of two: the cores with everything, and the lanes with their pairs. */
export function forecastTime(work: MeasuredWork): TimeForecast {
  const scoringSeconds = perSecond(work.pairs, work.pairsPerSecond);
  const tokenizingSeconds = perSecond(work.differentDocuments, work.tokenizedPerSecond);
  const besides = tokenizingSeconds + work.handlingSeconds;
  const workSeconds = besides + (work.lanesTakeCores ? scoringSeconds : 0);
  const busy = Math.max(workSeconds / work.cores, scoringSeconds / work.lanes);
  return {
    ...work,
    scoringSeconds,
    tokenizingSeconds,
    workSeconds,
    expectedSeconds: work.startSeconds + busy,
  };
}

function perSecond(items: number, speed: number): number {
  return speed === 0 ? 0 : items / speed;
}
