/** The memory that a tokenizer takes, measured in a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { TokenizerKindName } from "../../src/tokenizers/kinds/registry.js";
import { dist } from "./dist.js";
import { pieceOf } from "./script-texts.js";

const PROGRAM = fileURLToPath(new URL("tokenizer-memory.mjs", import.meta.url));

const answerSchema = z.object({
  kind: z.string(),
  bareBytes: z.number(),
  openPeakBytes: z.number(),
  openedBytes: z.number(),
  texts: z.array(
    z.object({
      name: z.string(),
      ids: z.number(),
      error: z.string().optional(),
      tookMs: z.number(),
      growthBytes: z.number(),
    }),
  ),
});
/** All in bytes; `growthBytes` is what the process grew by beside the text itself, since the tokenizer was opened. */
export type TokenizerMemory = z.infer<typeof answerSchema>;

export interface MeasuredTokenizer {
  readonly kind: TokenizerKindName;
  readonly folder: string;
  readonly scripts: readonly string[];
  /** Length of each text. */
  readonly chars: number;
  readonly tokens: number;
}

/** Encodes one long text of each script, one after the other. */
export async function measureTokenizer(asked: MeasuredTokenizer): Promise<TokenizerMemory> {
  const { kind, folder, chars, tokens, scripts } = asked;
  const pieces = Object.fromEntries(scripts.map((script) => [script, pieceOf(script)]));
  const running = promisify(execFile)(process.execPath, ["--expose-gc", PROGRAM, dist]);
  running.child.stdin?.end(JSON.stringify({ kind, folder, chars, tokens, pieces }));
  const { stdout } = await running;
  return answerSchema.parse(JSON.parse(stdout));
}
