import { z } from "zod";
import type { Form } from "../../core/forms/registry.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import type { SaveTarget } from "../session/session-options.js";

/** The messages between a worker and the process that prepares a model for it, over IPC. */
export interface ToPreparer {
  readonly type: "prepare";
  readonly model: LaneModel;
  readonly save: SaveTarget;
  readonly form?: Form | undefined;
  readonly parentPid: number;
}

export const fromPreparerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("done"), unmasked: z.boolean() }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);

export type FromPreparer = z.infer<typeof fromPreparerSchema>;
