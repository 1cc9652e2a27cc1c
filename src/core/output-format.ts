/** The forms in which a run's rankings are written; JSONL is the one that all others are made of. */
export const OUTPUT_FORMATS = ["jsonl", "trec", "flagembedding"] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];
