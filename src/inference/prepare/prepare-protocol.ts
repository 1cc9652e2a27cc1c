import type { Compiled } from "./compile-model.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import type { SaveTarget } from "../session/session-options.js";

/** The messages between a worker and the process that prepares a model for it, over IPC. */
export interface ToPreparer {
  readonly type: "prepare";
  readonly model: LaneModel;
  readonly save: SaveTarget;
  readonly parentPid: number;
}

export type FromPreparer =
  ({ readonly type: "done" } & Compiled) | { readonly type: "failed"; readonly message: string };
