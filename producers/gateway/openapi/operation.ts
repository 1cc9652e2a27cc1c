/** A route as the API's description tells of it. */
import type { z } from "zod";
import type { Scope } from "../../../src/core/caller.js";
import type { AnswerHeaderName, RequestHeaderName } from "./headers.js";

export interface Example {
  /** A line for people: what the example shows. */
  readonly summary: string;
  /** JSON, or the text of a body that is none. */
  readonly value: unknown;
}

export interface Body {
  readonly type: string;
  /** Several: a body is told from the others by its fields. */
  readonly schemas: readonly z.ZodType[];
  readonly description?: string;
  readonly examples: readonly Example[];
}

export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly headers?: readonly AnswerHeaderName[];
  /** Headers that no other answer has, each with its meaning. */
  readonly ownHeaders?: Readonly<Record<string, string>>;
  /** Undefined: the answer has no body. */
  readonly body?: Body;
}

/** A value in the path. */
export interface PathParameter {
  readonly name: string;
  readonly description: string;
  readonly example: string;
}

export interface Operation {
  readonly method: "get" | "post" | "delete";
  /** As the router has it: `/v1/jobs/:id`. */
  readonly path: string;
  /** The name of the call in clients that are made from the description. */
  readonly id: string;
  readonly group: GroupName;
  readonly summary: string;
  /** Markdown of paragraphs and code alone. */
  readonly description?: string;
  /** Rights of which a key needs one; none: any key will do; undefined: no key is asked for. */
  readonly scopes?: readonly Scope[];
  readonly pathParameter?: PathParameter;
  readonly query?: z.ZodObject;
  /** Parameters of the URL as the examples have them; those with a body of JSON have none. */
  readonly queryExample?: Readonly<Record<string, string>>;
  readonly headers?: readonly RequestHeaderName[];
  readonly bodies?: readonly Body[];
  readonly answers: readonly Answer[];
  readonly problems: readonly number[];
  /** The forms of its errors beside the usual one. */
  readonly problemSchemas?: readonly z.ZodType[];
  /** Another server than the gateway's own. */
  readonly server?: { readonly url: string; readonly description: string };
}

/** The groups in the order of the page, each with what it is for. */
export const GROUPS = {
  Ranking:
    "Rerank APIs of other servers, as their clients speak them. One path may take several bodies.",
  Models: "The models that workers serve at present.",
  Jobs: "Rankings that are asked for later.",
  Runs: "Files of records, ranked in their own time.",
  "Files and batches":
    "OpenAI's files and batches, as its clients call them. They need `--spool` and a runner.",
  Probes: "Health and figures. They ask for no key.",
  Description: "This description. It asks for no key, and is equal for all gateways of a version.",
} as const;

export type GroupName = keyof typeof GROUPS;
