import type { RedisTls } from "../../redis/redis-url.js";
import type { TokenizerChoice } from "../../tokenizers/kinds/registry.js";
import type { InFlightBounds } from "../../core/in-flight-bounds.js";
import type { WorkerDevice } from "../../inference/devices/registry.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import type { ResolvedModel } from "../../models/resolve.js";
import type { RedisDescription } from "../../redis/redis-info.js";
import type { RedisServer } from "../../redis/redis-servers.js";
import type { Text } from "./finding.js";
import type { LaneOptions } from "../worker/worker-options.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** A Redis that answers. */
export interface ExaminedRedis {
  readonly redis: RedisClient;
  readonly url: string;
  readonly tls: RedisTls | undefined;
  /** The server, or each master of a cluster. */
  readonly servers: readonly ExaminedServer[];
}

/** A server that holds keys. */
export interface ExaminedServer extends RedisServer {
  /** The URL of the Redis that it belongs to. */
  readonly url: string;
  /** Fields of its reply to INFO. */
  readonly info: ReadonlyMap<string, string>;
  readonly description: RedisDescription;
}

/** A model that is at hand. */
export interface ExaminedModel {
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  readonly runtime: WorkerRuntime;
  /** The reason for this device. */
  readonly deviceNote: string;
  /** True if the device is not the one that the operator or the machine leads one to expect. */
  readonly deviceUnexpected: boolean;
}

/** A part of the subject, or why it could not be had. */
export type Examined<Part> =
  | { readonly status: "there"; readonly part: Part }
  /** Nobody named one: nothing is wrong, and less is checked. */
  | { readonly status: "unnamed"; readonly option: string }
  | { readonly status: "unusable"; readonly why: Text };

/** The subject of an examination: a machine, and the parts of it that a worker with these options would use. */
export interface Subject {
  readonly redis: Examined<ExaminedRedis>;
  readonly model: Examined<ExaminedModel>;
  readonly lanes: LaneOptions;
  readonly inFlight: InFlightBounds;
  readonly maxJobBytes: number;
  readonly maxDocumentChars: number;
  readonly tokenizer: TokenizerChoice;
  readonly folders: SubjectFolders;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface SubjectFolders {
  /** Undefined if models are to run as they are. */
  readonly prepared: string | undefined;
  readonly calibration: string;
  readonly models: string;
  readonly index: string;
  /** Holds the private Redis of `run` and parts of large indexes. */
  readonly temporary: string;
}
