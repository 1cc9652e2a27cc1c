import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import type { PairTemplate } from "../core/pair-assembly.js";

const specialToken = z.tuple([z.string(), z.int()]);

const templateProcessing = z.object({
  type: z.literal("TemplateProcessing"),
  pair: z.array(
    z.union([
      z.object({ Sequence: z.object({ id: z.enum(["A", "B"]), type_id: z.int() }) }),
      z.object({ SpecialToken: z.object({ id: z.string(), type_id: z.int() }) }),
    ]),
  ),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(z.int()) })),
});
const bertProcessing = z.object({
  type: z.literal("BertProcessing"),
  cls: specialToken,
  sep: specialToken,
});
const robertaProcessing = z.object({
  type: z.literal("RobertaProcessing"),
  cls: specialToken,
  sep: specialToken,
});
/** Moves offsets only; ids pass through. */
const byteLevel = z.object({ type: z.literal("ByteLevel") });
const single = z.discriminatedUnion("type", [
  templateProcessing,
  bertProcessing,
  robertaProcessing,
  byteLevel,
]);
const sequence = z.object({ type: z.literal("Sequence"), processors: z.array(single) });
const postProcessor = z.union([single, sequence]);

/** Only what a template needs: the vocabulary is left alone, it can have 250,000 entries. */
const tokenizerJsonSchema = z.object({
  post_processor: z.unknown().optional(),
  padding: z.object({ pad_id: z.int().nonnegative() }).nullish().catch(undefined),
  added_tokens: z
    .array(z.object({ id: z.int().nonnegative(), content: z.string() }))
    .nullish()
    .catch(undefined),
});
const tokenizerConfigSchema = z.object({
  pad_token: z
    .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
    .nullish()
    .catch(undefined),
});

type Processor = z.infer<typeof single>;
type Around = Omit<PairTemplate, "padId">;

/** Padding id if the files name none: a row's padding is masked, any id will do. */
const COMMON_PAD_TOKENS = ["[PAD]", "<pad>", "<|padding|>", "<|endoftext|>"];
const FALLBACK_PAD_ID = 0;

/**
 * Reads a pair's template from `tokenizer.json`'s post-processor: TemplateProcessing,
 * BertProcessing or RobertaProcessing, alone or in a Sequence with ByteLevel.
 *
 * @param tokenizerJson the parsed `tokenizer.json`
 * @param tokenizerConfig the parsed `tokenizer_config.json`, for the padding token
 * @throws RankmillError `model_unusable` if no template can be read, or one that two token types
 *   in a row cannot express
 */
export function parsePairTemplate(tokenizerJson: unknown, tokenizerConfig?: unknown): PairTemplate {
  const file = tokenizerJsonSchema.safeParse(tokenizerJson);
  if (!file.success) throw unusable("it is not a tokenizer.json object");
  const parsed = postProcessor.safeParse(file.data.post_processor);
  if (!parsed.success) throw unusable(`its post-processor is ${nameOf(file.data.post_processor)}`);
  const processors = (
    parsed.data.type === "Sequence" ? parsed.data.processors : [parsed.data]
  ).filter((processor) => processor.type !== "ByteLevel");
  const [processor] = processors;
  if (processor === undefined || processors.length > 1) {
    throw unusable(`its post-processor has ${processors.length} templates`);
  }
  return { ...around(processor), padId: padId(file.data, tokenizerConfig) };
}

function around(processor: Exclude<Processor, { type: "ByteLevel" }>): Around {
  if (processor.type === "TemplateProcessing") return aroundOfTemplate(processor);
  const [cls, sep] = [processor.cls[1], processor.sep[1]];
  return processor.type === "BertProcessing"
    ? { prefix: [cls], middle: [sep], suffix: [sep], segmentTypeIds: true }
    : { prefix: [cls], middle: [sep, sep], suffix: [sep], segmentTypeIds: false };
}

function aroundOfTemplate(processor: z.infer<typeof templateProcessing>): Around {
  const parts: [number[], number[], number[]] = [[], [], []];
  /** Token types: of prefix, query and middle; of document and suffix. */
  const types: [Set<number>, Set<number>] = [new Set(), new Set()];
  const order: string[] = [];
  for (const piece of processor.pair) {
    if ("Sequence" in piece) {
      order.push(piece.Sequence.id);
      (order.length < 2 ? types[0] : types[1]).add(piece.Sequence.type_id);
      continue;
    }
    const { id, type_id: type } = piece.SpecialToken;
    const ids = processor.special_tokens[id]?.ids;
    if (ids === undefined) throw unusable(`its pair template names ${id} without its ids`);
    (order.length < 2 ? types[0] : types[1]).add(type);
    parts[Math.min(order.length, 2)]?.push(...ids);
  }
  if (order.join() !== "A,B") {
    throw unusable(`its pair template holds the sequences ${order.join()}, not A then B`);
  }
  const pattern = types.map((set) => [...set].join("+")).join(",");
  if (pattern !== "0,0" && pattern !== "0,1") {
    throw unusable(`its pair template has the token types ${pattern}, not 0 then 0 or 1`);
  }
  const [prefix, middle, suffix] = parts;
  return { prefix, middle, suffix, segmentTypeIds: pattern === "0,1" };
}

/** The id that fills rows, by the files of a tokenizer. */
export function padIdOf(tokenizerJson: unknown, tokenizerConfig: unknown): number {
  const file = tokenizerJsonSchema.safeParse(tokenizerJson);
  return file.success ? padId(file.data, tokenizerConfig) : FALLBACK_PAD_ID;
}

function padId(file: z.infer<typeof tokenizerJsonSchema>, tokenizerConfig: unknown): number {
  const named = tokenizerConfigSchema.safeParse(tokenizerConfig).data?.pad_token;
  const idOf = (content: string): number | undefined =>
    file.added_tokens?.find((token) => token.content === content)?.id;
  const candidates = [
    named == null ? undefined : idOf(named),
    file.padding?.pad_id,
    ...COMMON_PAD_TOKENS.map(idOf),
  ];
  return candidates.find((id) => id !== undefined) ?? FALLBACK_PAD_ID;
}

function nameOf(processor: unknown): string {
  const type = z.object({ type: z.string() }).safeParse(processor).data?.type;
  if (processor == null) return "absent";
  return type === undefined ? "of no known type" : `a ${type} that cannot be read`;
}

function unusable(reason: string): RankmillError {
  return new RankmillError(
    "model_unusable",
    `tokenizer.json does not say how a query and a document are joined: ${reason}. It needs a TemplateProcessing, BertProcessing or RobertaProcessing for pairs`,
  );
}
