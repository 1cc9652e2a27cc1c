/**
 * The messages between a command and the guardian of its private server: the orders travel as
 * one argument of the guardian's command line, the rest over Node's IPC channel, whose end is also
 * how each notices that the other has died. Both ends are of one version, and the guardian stays
 * small without a schema library, so shapes are checked only as far as a mix-up would show.
 */

interface Place {
  /** The server's own folder, as the kernel spells it; the guardian removes it at the end. */
  readonly folder: string;
  readonly socketPath: string;
  /** Process that started the guardian; without it the guardian ends. */
  readonly parentPid: number;
}

export interface BinaryOrders extends Place {
  readonly kind: "binary";
  /** Absolute path of the server's program. */
  readonly program: string;
  readonly configPath: string;
}

interface JsOrders extends Place {
  readonly kind: "js";
}

export type GuardianOrders = BinaryOrders | JsOrders;

export type GuardianReport =
  /** The server was started; it need not answer yet. `version` only if INFO does not tell it. */
  | { readonly type: "started"; readonly serverPid: number; readonly version?: string }
  /** The server could not be started; the guardian cleans up and exits. */
  | {
      readonly type: "failed";
      readonly code: "missing_dependency" | "redis_unavailable";
      readonly reason: string;
    }
  /** The server died unasked; the guardian cleans up and exits. */
  | { readonly type: "server_died"; readonly reason: string };

/** The only message that a guardian takes: stop the server, remove the folder, exit. */
export const STOP_MESSAGE = "stop";

/** @throws Error if the text is not what `JSON.stringify` made of orders */
export function parseOrders(text: string | undefined): GuardianOrders {
  const orders: unknown = JSON.parse(text ?? "null");
  if (
    !isRecord(orders) ||
    typeof orders["folder"] !== "string" ||
    typeof orders["socketPath"] !== "string" ||
    typeof orders["parentPid"] !== "number" ||
    (orders["kind"] !== "binary" && orders["kind"] !== "js")
  ) {
    throw new Error("the guardian is started by rankmill, with its orders as its only argument");
  }
  return orders as unknown as GuardianOrders;
}

/** Undefined for anything that is no report. */
export function parseReport(message: unknown): GuardianReport | undefined {
  if (!isRecord(message)) return undefined;
  const { type, reason } = message as Record<"type" | "reason", unknown>;
  const known =
    (type === "started" && typeof message["serverPid"] === "number") ||
    ((type === "failed" || type === "server_died") && typeof reason === "string");
  return known ? (message as unknown as GuardianReport) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
