import { z } from "zod";

/** The fields of a ranking that other forms need. */
const partSchema = z.object({
  id: z.string(),
  results: z.array(z.object({ index: z.int(), id: z.string().optional(), logit: z.number() })),
});

export type RankingPart = z.infer<typeof partSchema>;
export type RankedResult = RankingPart["results"][number];

/** @param line of our own output */
export function parseRankingPart(line: string): RankingPart {
  return partSchema.parse(JSON.parse(line));
}

/** @param results of a ranking that is parsed JSON */
export function parseResults(results: unknown): readonly RankedResult[] {
  return partSchema.shape.results.parse(results);
}
