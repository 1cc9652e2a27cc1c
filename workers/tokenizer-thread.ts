/**
 * Entry of a tokenizer's thread. The vocabulary is read, parsed and held here, and so is what the
 * libraries leave to the garbage collector: the event loop of a worker never waits for any of it.
 * No inference runs here.
 */
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { describeError } from "../src/core/errors.js";
import type { OpenedEncoder } from "../src/tokenizers/kinds/tokenizer-kind.js";
import { openEncoder } from "../src/tokenizers/open-encoder.js";
import type {
  EncodeMessage,
  FromThread,
  ThreadData,
} from "../src/tokenizers/thread/thread-protocol.js";

async function serve(port: MessagePort, data: ThreadData): Promise<void> {
  const send = (message: FromThread, transfer: ArrayBuffer[] = []): void => {
    port.postMessage(message, transfer);
  };
  try {
    const { kind, encoder, notes } = await openEncoder(data);
    port.on("message", (message: EncodeMessage) => {
      void encode(encoder, message).then(
        ({ ids, ends }) => {
          const { seq } = message;
          send({ type: "encoded", seq, ids, ends }, [ids.buffer, ends.buffer]);
        },
        (error: unknown) => {
          send({ type: "failed", seq: message.seq, ...describeError(error) });
        },
      );
    });
    send({ type: "ready", kind, template: encoder.template, notes });
  } catch (error) {
    send({ type: "unusable", ...describeError(error) });
  }
}

async function encode(
  encoder: OpenedEncoder,
  { texts, atLeastTokens }: EncodeMessage,
): Promise<{ ids: Int32Array<ArrayBuffer>; ends: Int32Array<ArrayBuffer> }> {
  const encoded = await encoder.encode(texts, atLeastTokens);
  const ids = new Int32Array(encoded.reduce((sum, { length }) => sum + length, 0));
  const ends = new Int32Array(encoded.length);
  let at = 0;
  for (const [index, part] of encoded.entries()) {
    ids.set(part, at);
    at += part.length;
    ends[index] = at;
  }
  return { ids, ends };
}

if (parentPort !== null) void serve(parentPort, workerData as ThreadData);
