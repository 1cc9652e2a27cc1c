import type { Said } from "./finding.js";
import type { ExaminedModel, ExaminedRedis, ExaminedServer, Subject } from "./subject.js";

/** One question about the subject. It changes nothing that outlives it. */
export type Check = {
  /** Name for people and scripts; begins with its subject. */
  readonly name: string;
  /** A check without an end by then is itself a problem. Default 60,000. */
  readonly timeoutMs?: number;
} & (
  | { readonly needs: "nothing"; readonly run: (subject: Subject) => Promise<Said[]> }
  | {
      readonly needs: "redis";
      readonly run: (redis: ExaminedRedis, subject: Subject) => Promise<Said[]>;
    }
  | {
      /** Made of each server of the Redis. */
      readonly needs: "server";
      readonly run: (server: ExaminedServer, subject: Subject) => Promise<Said[]>;
    }
  | {
      readonly needs: "model";
      readonly run: (model: ExaminedModel, subject: Subject) => Promise<Said[]>;
    }
);
