import type { z } from "zod";
import type { ErrorCode } from "../errors.js";
import type { RankCall, Ranked } from "../rank-call.js";

/** The body of a request, as its JSON says it. */
export type WireBody = Readonly<Record<string, unknown>>;

/** The facts of an answer beside its rankings. */
export interface AnswerFacts {
  /** The request's id. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdSeconds: number;
  readonly tookMs: number;
  /** Things that the client should know and need not act on. */
  readonly warnings: readonly string[];
}

export interface WireAnswer {
  /** Written by `writeJson`, so that a `Score` keeps its fraction. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request of a wire: what it asks, and how its answer is written. */
export interface WireCall {
  readonly call: RankCall;
  readonly answer: (ranked: Ranked, facts: AnswerFacts) => WireAnswer;
}

/** An error on its way to a client. */
export interface Problem {
  /** The request's id. */
  readonly id: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** Free of stacks, paths and addresses. */
  readonly message: string;
  readonly field?: string | undefined;
}

/** A body as clients of a wire send it. */
export interface WireExample {
  /** A line for people: what the example shows. */
  readonly summary: string;
  readonly body: WireBody;
}

/** A wire as the API's description tells of it. */
export interface WireAbout {
  /** The servers and clients that speak it, on one line. */
  readonly summary: string;
  /** The field that tells its bodies from those of other wires on the same path; Markdown. */
  readonly toldBy: string;
  /** The schema that `read` parses bodies with. */
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
  /** The body of an error. */
  readonly problem: z.ZodType;
  /** Headers of an answer that are the wire's own, each with its meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  /** At least one. Each is sent to a live gateway by a test. */
  readonly examples: readonly [WireExample, ...WireExample[]];
}

/** A rerank API of others, which clients speak that know nothing of rankmill. */
export interface Wire {
  readonly name: string;
  readonly about: WireAbout;
  /** Paths that its clients post to. */
  readonly paths: readonly string[];
  /** Whether a body on one of the paths is this wire's, and not that of one further down the registry. */
  takes(body: WireBody): boolean;
  /** @throws RankmillError `invalid_field`, naming the field as the wire does */
  read(body: WireBody, path: string): WireCall;
  /** The body of an error as clients of this wire read it. */
  writeProblem(problem: Problem): Readonly<Record<string, unknown>>;
}
