import { describeError, RankmillError } from "../core/errors.js";
import { installAdvice } from "../platform/install-advice.js";
import type { Prompt } from "../core/prompt.js";
import { option, wording } from "../core/wording.js";
import { kindsToTry, type TokenizerKindName } from "./kinds/registry.js";
import type { KindOpening, OpenedEncoder, TokenizerKind } from "./kinds/tokenizer-kind.js";
import type { ThreadData } from "./thread/thread-protocol.js";
import { tokenisePrompt, type SpecialIds } from "./tokenised-prompt.js";
import { TokenizerSource } from "./tokenizer-source.js";

export interface OpenedKind {
  readonly kind: TokenizerKindName;
  readonly encoder: OpenedEncoder;
  /** Facts met on the way, a line each, for people. */
  readonly notes: readonly string[];
}

/**
 * Opens the tokenizer of a folder with the first kind that can.
 *
 * @throws RankmillError `model_unusable`, `missing_dependency`
 */
export async function openEncoder(data: ThreadData): Promise<OpenedKind> {
  const source = await TokenizerSource.open(data.folder, data.compiledDir);
  const { path } = source.files;
  // Before a kind takes the parsed file away.
  const specials = source.prompt === undefined ? undefined : source.specialIds();
  const missing: string[] = [];
  const packages: string[] = [];
  let unread = "";
  for (const kind of kindsToTry(data.choice)) {
    const opening = await open(kind, source);
    if (opening.status === "opened") {
      const encoder = await withPrompt(opening.encoder, source.prompt, specials);
      return { kind: kind.name, encoder, notes: source.notes };
    }
    if (opening.status === "unread") unread = `by ${kind.name}: ${opening.reason}`;
    else missing.push(opening.reason);
    if (kind.packageName !== undefined) packages.push(kind.packageName);
  }
  if (missing.length === 0) {
    const message = wording`${path} cannot be read ${unread}; leave the choice to ${option("tokenizer")} auto`;
    throw new RankmillError("model_unusable", message);
  }
  const install = packages.map((name) => `\`${installAdvice(name)}\``).join(" or ");
  const message = `no package for the model's tokenizer can be loaded: run ${install} (${missing.join("; ")})`;
  throw new RankmillError("missing_dependency", message);
}

async function withPrompt(
  encoder: OpenedEncoder,
  prompt: Prompt | undefined,
  specials: SpecialIds = new Map(),
): Promise<OpenedEncoder> {
  if (prompt === undefined) return encoder;
  const encode = async (text: string): Promise<Int32Array> => {
    const [ids = new Int32Array()] = await encoder.encode([text], undefined);
    return ids;
  };
  const template = await tokenisePrompt(prompt, encoder.template.padId, specials, encode);
  return { ...encoder, template };
}

async function open(kind: TokenizerKind, source: TokenizerSource): Promise<KindOpening> {
  try {
    return await kind.open(source);
  } catch (error) {
    if (error instanceof RankmillError) throw error;
    const { path } = source.files;
    const message = `${path} cannot be loaded by ${kind.name}: ${describeError(error).message}`;
    throw new RankmillError("model_unusable", message, { cause: error });
  }
}
