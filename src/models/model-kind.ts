/** Rerankers that do not give one score per pair of texts: recognised by their config.json, and refused. */

interface ForeignKind {
  readonly is: (config: KnownFields) => boolean;
  /** Its reason, and a model that does the same work pair by pair. */
  readonly why: string;
}

interface KnownFields {
  readonly architectures?: readonly string[] | null | undefined;
  readonly is_encoder_decoder?: unknown;
  readonly vision_config?: unknown;
  readonly head_multi?: unknown;
}

const FOREIGN: readonly ForeignKind[] = [
  {
    is: ({ vision_config: vision }) => vision != null,
    why: "it reads images as well as texts, which a pair of texts cannot hold: use Qwen3-Reranker-0.6B",
  },
  {
    is: (config) => named(config, /ForRanking$/),
    why: "it reads all documents of a query at once and compares them with each other (listwise), so a pair has no score of its own: use Qwen3-Reranker-0.6B, which is of the same size",
  },
  {
    is: (config) => config.head_multi === true || named(config, /LayerWise/i),
    why: "it has a head at each of its layers (layerwise), and no graph that ends at one of them was published: use bge-reranker-v2-m3",
  },
  {
    is: (config) => named(config, /ColBERT/i),
    why: "it reads query and document apart and compares their tokens (late interaction): use gte-reranker-modernbert-base",
  },
  {
    is: ({ is_encoder_decoder: isEncoderDecoder }) => isEncoderDecoder === true,
    why: "it has an encoder and a decoder that writes its answer as a word (monoT5 and the like): use ms-marco-MiniLM-L12-v2",
  },
];

function named({ architectures }: KnownFields, pattern: RegExp): boolean {
  return architectures?.some((name) => pattern.test(name)) ?? false;
}

/** @returns why the model of a config.json cannot score pairs; undefined if nothing speaks against it */
export function whyNotPairwise(config: KnownFields): string | undefined {
  return FOREIGN.find(({ is }) => is(config))?.why;
}
