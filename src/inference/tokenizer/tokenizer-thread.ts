/**
 * Entry of a tokenizer's thread. The vocabulary is read, parsed and held here, and so is what the
 * libraries leave to the garbage collector: the event loop of a worker never waits for any of it.
 * No inference runs here.
 */
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { describeError, RankmillError } from "../../core/errors.js";
import { parsePairTemplate } from "../../core/pair-template.js";
import { LibraryMissing, type BatchEncoder } from "./batch-encoder.js";
import { allowsCuts } from "./cuts.js";
import { encodeTexts } from "./encode-texts.js";
import { withoutSpecials } from "./literal-specials.js";
import { openNativeEncoder } from "./native-encoder.js";
import type { EncodeMessage, FromThread, Implementation, ThreadData } from "./thread-protocol.js";
import { readTokenizerFiles, type TokenizerJson } from "./tokenizer-json.js";
import { openTransformersEncoder } from "./transformers-encoder.js";

async function serve(port: MessagePort, data: ThreadData): Promise<void> {
  const send = (message: FromThread, transfer: ArrayBuffer[] = []): void => {
    port.postMessage(message, transfer);
  };
  try {
    const { path, tokenizerJson, tokenizerConfig } = await readTokenizerFiles(data.folder);
    const template = parsePairTemplate(tokenizerJson, tokenizerConfig);
    const cuttable = allowsCuts(tokenizerJson);
    const encoder = await openFirst(data.implementations, withoutSpecials(tokenizerJson), path);
    port.on("message", (message: EncodeMessage) => {
      void encode(encoder, cuttable, message).then(
        ({ ids, ends }) => {
          const { seq } = message;
          send({ type: "encoded", seq, ids, ends }, [ids.buffer, ends.buffer]);
        },
        (error: unknown) => {
          send({ type: "failed", seq: message.seq, ...describeError(error) });
        },
      );
    });
    send({ type: "ready", implementation: encoder.implementation, template });
  } catch (error) {
    send({ type: "unusable", ...describeError(error) });
  }
}

async function openFirst(
  implementations: readonly Implementation[],
  json: TokenizerJson,
  path: string,
): Promise<BatchEncoder> {
  const missing: string[] = [];
  for (const implementation of implementations) {
    try {
      return implementation === "tokenizers"
        ? await openNativeEncoder(json)
        : await openTransformersEncoder(json);
    } catch (error) {
      if (!(error instanceof LibraryMissing)) {
        const message = `${path} cannot be loaded by ${implementation}: ${describeError(error).message}`;
        throw new RankmillError("model_unusable", message, { cause: error });
      }
      missing.push(error.message);
    }
  }
  const message = `no library for the model's tokenizer can be loaded: run \`npm install ${implementations.map(packageOf).join(" ")}\` (one of them is enough). Tried ${missing.join("; ")}`;
  throw new RankmillError("missing_dependency", message);
}

function packageOf(implementation: Implementation): string {
  return implementation === "tokenizers" ? "tokenizers" : "@huggingface/transformers";
}

async function encode(
  encoder: BatchEncoder,
  cuttable: boolean,
  { texts, atLeastTokens }: EncodeMessage,
): Promise<{ ids: Int32Array<ArrayBuffer>; ends: Int32Array<ArrayBuffer> }> {
  const encoded = await encodeTexts(encoder, cuttable, texts, atLeastTokens);
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
