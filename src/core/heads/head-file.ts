/** A head as files hold it, and its use once the model's labels are known. */
import { z } from "zod";
import { PLAIN_HEAD, type HeadUse } from "./head-use.js";
import { HEAD_KINDS, headOf } from "./registry.js";

const MAX_LABEL_CHARS = 256;
const MOST_LABELS = 1_000;

/** The number of a label, or its name in `id2label` of config.json. */
const labelSchema = z.union([
  z
    .int()
    .nonnegative()
    .max(MOST_LABELS - 1),
  z.string().min(1).max(MAX_LABEL_CHARS),
]);

export const headSchema = z
  .strictObject({
    kind: z.enum(HEAD_KINDS).default("logit"),
    label: labelSchema.exactOptional(),
    against: labelSchema.exactOptional(),
    scale: z.number().positive().default(1),
  })
  .superRefine((head, context) => {
    const { reads } = headOf(head.kind);
    for (const name of ["label", "against"] as const) {
      const given = head[name] !== undefined;
      if (given === reads.includes(name)) continue;
      const message = given ? `a head "${head.kind}" reads none` : "is missing";
      context.addIssue({ code: "custom", path: [name], message });
    }
  });

export type HeadFile = z.infer<typeof headSchema>;

/**
 * @param names of the model's labels by their numbers, if config.json has them
 * @returns a string that says what is wrong if a label is none of the model's
 */
export function useOfHead(file: HeadFile, names: readonly string[] | undefined): HeadUse | string {
  const { kind, scale } = file;
  const labels: { label?: number; against?: number } = {};
  for (const name of headOf(kind).reads) {
    const label = numberOf(file[name], names);
    if (label === undefined) return whyNoLabel(name, file[name], names);
    labels[name] = label;
  }
  return { ...PLAIN_HEAD, kind, scale, ...labels };
}

function numberOf(label: HeadFile["label"], names: readonly string[] = []): number | undefined {
  if (typeof label === "number") return label;
  const found = names.indexOf(label ?? "");
  return found === -1 ? undefined : found;
}

function whyNoLabel(
  name: string,
  label: HeadFile["label"],
  names: readonly string[] | undefined,
): string {
  const known =
    names === undefined ? "config.json names none: give its number" : `it has ${names.join(", ")}`;
  return `head.${name}: the model has no label ${JSON.stringify(label)}; ${known}`;
}
