import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

/** Types of llama.cpp's files by class of precision. */
const LLAMA_TYPES: Readonly<Record<string, string>> = { fp32: "f32", int8: "q8_0" };

const PROGRAM = fileURLToPath(new URL("to_gguf.py", import.meta.url));
const configSchema = z.object({ type_vocab_size: z.number().default(1) });

/**
 * Whether llama.cpp gives the model's own scores. It reads every token as of the first text, and its
 * converter drops the layer between BERT's first token and its logit.
 */
export function fitsLlama(modelFolder: string): boolean {
  const text = readFileSync(join(modelFolder, "config.json"), "utf8");
  return configSchema.parse(JSON.parse(text)).type_vocab_size === 1;
}

/** The model's file for llama.cpp, in a folder of the model; made if it is not there. */
export async function llamaFile(
  python: string,
  modelFolder: string,
  precision: string,
): Promise<string> {
  const type = LLAMA_TYPES[precision] ?? precision;
  const file = join(modelFolder, "gguf", `${type}.gguf`);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const command = [PROGRAM, "--model", modelFolder, "--type", type, "--output", file];
  await promisify(execFile)(python, command);
  return file;
}
