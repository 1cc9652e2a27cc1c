/** Scores pairs with a model outside any queue: one lane, no Redis. */
import type { ScoringOptions } from "../core/job.js";
import type { EncodedPair } from "../core/pair.js";
import type { TokenizerChoice } from "../tokenizers/kinds/registry.js";
import { resolveScoring } from "../core/scoring.js";
import { CPU_DEVICE, deviceOf, type WorkerDevice } from "../inference/devices/registry.js";
import { quantisedHandling, readCpuFeatures } from "../inference/host/cpu-features.js";
import { laneModelOf, type ModelSource } from "../inference/lanes/lane-model.js";
import { LaneProcess } from "../inference/lanes/lane-process.js";
import type { WorkerRuntime } from "../inference/runtime/registry.js";
import { openTokenizer } from "../tokenizers/open-tokenizer.js";
import type { ResolvedModel } from "../models/resolve.js";
import { PairMaker } from "../pipeline/encode/pair-maker.js";

const NEVER = new AbortController().signal;

export interface TextPair {
  readonly query: string;
  readonly document: string;
}

/** A (query, document) pair as the model reads it. */
export interface EncodedTexts {
  /** One, or one per window if long documents are split. */
  readonly pairs: readonly EncodedPair[];
  /** Tokens of query, document and special ones, had nothing been cut off or split. */
  readonly fullTokens: number;
}

/** A model at work outside any queue. */
export interface PairLane {
  /** @returns one entry per pair, in order */
  encode(pairs: readonly TextPair[]): Promise<EncodedTexts[]>;
  /** @returns one logit per pair, in order; each pair runs alone at its exact length */
  score(pairs: readonly EncodedPair[]): Promise<number[]>;
  /** Scores batches on all lanes at once, a message of a worker's size at a time. */
  scoreOnAll(batches: readonly (readonly EncodedPair[])[]): Promise<void>;
  close(): Promise<void>;
}

export interface PairLaneOptions {
  /** @defaultValue the model's own max length, `only-second` */
  readonly scoring?: ScoringOptions;
  /** @defaultValue `"auto"` */
  readonly tokenizer?: TokenizerChoice | undefined;
  /** @defaultValue the CPU */
  readonly device?: WorkerDevice;
  /** @defaultValue ONNX Runtime */
  readonly runtime?: WorkerRuntime | undefined;
  /** @defaultValue 1 */
  readonly lanes?: number;
  /** The files that lanes load. @defaultValue the model's own */
  readonly source?: ModelSource | undefined;
}

/** Pairs sent to a lane in one message, as a worker sends them. */
const MESSAGE_PAIRS = 8;

/** @throws RankmillError if the model cannot be used */
export async function openPairLane(
  model: ResolvedModel,
  env: Readonly<Record<string, string | undefined>>,
  options: PairLaneOptions = {},
): Promise<PairLane> {
  const { device = CPU_DEVICE, lanes: count = 1 } = options;
  const { exactInt8 } = quantisedHandling(model.precision, await readCpuFeatures());
  const { tokenizer, template } = await openTokenizer(model.folder.path, {
    kind: options.tokenizer,
  });
  const scoring = resolveScoring(
    options.scoring ?? { maxLength: model.maxLength.default, truncation: "only-second" },
  );
  const specials = template.prefix.length + template.middle.length + template.suffix.length;
  const source = options.source ?? {
    onnxPath: model.onnxPath,
    head: model.head,
    exactInt8,
  };
  const lanes: LaneProcess[] = [];
  const close = async (): Promise<void> => {
    for (const lane of lanes) lane.kill();
    await Promise.all(lanes.map((lane) => lane.died));
    await tokenizer.close();
  };
  try {
    const settings = {
      env: deviceOf(device.kind).laneEnv(env, device),
      model: laneModelOf(source, template, {
        device,
        runtime: options.runtime,
        highestLength: model.maxLength.highest,
      }),
    };
    const starting = Array.from({ length: count }, async (_, id) =>
      lanes.push(await LaneProcess.start(id, settings)),
    );
    await allSettled(starting);
    const [lane] = lanes;
    if (lane === undefined) throw new RangeError("no lane was asked for");
    return {
      encode: async (pairs) => {
        const ids = await tokenizer.encode(
          pairs.flatMap(({ query, document }) => [query, document]),
        );
        const encoded: EncodedTexts[] = [];
        for (const [i, { document }] of pairs.entries()) {
          const [queryIds, documentIds] = [ids[2 * i], ids[2 * i + 1]];
          if (queryIds === undefined || documentIds === undefined) throw new Error("no token ids");
          const reader = new PairMaker(queryIds, scoring, { tokenizer, template });
          const read = await reader.read(document, documentIds, NEVER);
          encoded.push({
            pairs: read.map(({ pair }) => pair),
            fullTokens: specials + queryIds.length + documentIds.length,
          });
        }
        return encoded;
      },
      score: async (pairs) => (await lane.score(pairs.map((pair) => [pair]))).flat(),
      scoreOnAll: async (batches) => await scoreOnAll(lanes, batches),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Every lane that has started must be known before one that has not is told of. */
async function allSettled(starting: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(starting);
  await Promise.all(starting);
}

/** Each lane takes its next message once it has answered the last. */
async function scoreOnAll(
  lanes: readonly LaneProcess[],
  batches: readonly (readonly EncodedPair[])[],
): Promise<void> {
  let next = 0;
  const serve = async (lane: LaneProcess): Promise<void> => {
    while (next < batches.length) {
      const message: EncodedPair[][] = [];
      for (let pairs = 0; next < batches.length && pairs < MESSAGE_PAIRS; next += 1) {
        const batch = batches[next] ?? [];
        message.push([...batch]);
        pairs += batch.length;
      }
      await lane.score(message);
    }
  };
  await Promise.all(lanes.map(serve));
}

/**
 * @returns one logit per pair, in order; each pair runs alone at its exact length
 * @throws RankmillError if the model cannot be used
 */
export async function scorePairs(
  model: ResolvedModel,
  pairs: readonly TextPair[],
  env: Readonly<Record<string, string | undefined>>,
  options: PairLaneOptions = {},
): Promise<number[]> {
  const lane = await openPairLane(model, env, options);
  try {
    const logits: number[] = [];
    for (const text of pairs) {
      const [encoded] = await lane.encode([text]);
      if (encoded !== undefined) logits.push(...(await lane.score(encoded.pairs)));
    }
    return logits;
  } finally {
    await lane.close();
  }
}
