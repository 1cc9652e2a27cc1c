/**
 * The obvious way, as one writes it in an afternoon: a BullMQ worker that encodes a job with
 * AutoTokenizer, padded to its longest pair, and runs it as one batch in a session with ONNX
 * Runtime's defaults, which are all cores.
 */
import { basename, dirname } from "node:path";
import { AutoTokenizer, env } from "@huggingface/transformers";
import { Queue, Worker } from "bullmq";
import * as ort from "onnxruntime-node";
import { serveWay } from "./serve-way.js";

/**
 * Each batch freezes the event loop, which BullMQ renews its locks on: with the default of 30 s, jobs
 * are lost on a busy machine. This keeps it measurable.
 */
const LOCK_MS = 600_000;

interface JobData {
  readonly query: string;
  readonly documents: readonly string[];
}

type Encoded = Record<string, { readonly data: BigInt64Array; readonly dims: number[] }>;

serveWay(async ({ modelFolder, onnxPath, redisPath, maxLength }) => {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(modelFolder);
  const tokenizer = await AutoTokenizer.from_pretrained(basename(modelFolder));
  const session = await ort.InferenceSession.create(onnxPath);
  const connection = { path: redisPath, maxRetriesPerRequest: null };
  const name = `obvious-${process.pid}`;

  const rerank = async ({ query, documents }: JobData): Promise<number[]> => {
    const encoded = tokenizer(
      documents.map(() => query),
      { text_pair: [...documents], padding: true, truncation: true, max_length: maxLength },
    ) as Encoded;
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => {
        const tensor = encoded[input];
        if (tensor === undefined) throw new Error(`the tokenizer gives no ${input}`);
        return [input, new ort.Tensor("int64", tensor.data, tensor.dims)];
      }),
    );
    const { logits } = await session.run(feeds);
    return Array.from(logits?.data as Float32Array);
  };

  const queue = new Queue<JobData>(name, { connection });
  const logits: number[][] = [];
  let remaining = 0;
  let allDone: (() => void) | undefined;
  const worker = new Worker<JobData, number[]>(name, ({ data }) => rerank(data), {
    connection,
    lockDuration: LOCK_MS,
  });
  worker.on("completed", (job, result) => {
    logits[Number(job.name)] = result;
    remaining -= 1;
    if (remaining === 0) allDone?.();
  });
  await worker.waitUntilReady();

  return async (jobs) => {
    logits.length = 0;
    remaining = jobs.length;
    const finished = new Promise<void>((resolve, reject) => {
      allDone = resolve;
      worker.once("failed", (_job, error) => reject(error));
    });
    const started = performance.now();
    await queue.addBulk(
      jobs.map(({ query, documents }, index) => ({
        name: String(index),
        data: { query, documents },
        opts: { removeOnComplete: true },
      })),
    );
    await finished;
    worker.removeAllListeners("failed");
    return { seconds: (performance.now() - started) / 1000, logits: [...logits] };
  };
});
