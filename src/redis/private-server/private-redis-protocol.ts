/**
 * The messages between a command and the guardian of its private server: the orders travel as
 * one argument of the guardian's command line, the rest over Node's IPC channel, whose end is also
 * how each notices that the other has died. Both ends are of one version, and the guardian stays
 * small without a schema library, so the shapes are checked by hand.
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
  const orders = fieldsOf(JSON.parse(text ?? "null"));
  const { kind, folder, socketPath, parentPid, program, configPath } = orders;
  if (
    typeof folder === "string" &&
    typeof socketPath === "string" &&
    typeof parentPid === "number"
  ) {
    const place = { folder, socketPath, parentPid };
    if (kind === "js") return { kind, ...place };
    if (kind === "binary" && typeof program === "string" && typeof configPath === "string")
      return { kind, ...place, program, configPath };
  }
  throw new Error("the guardian is started by rankmill, with its orders as its only argument");
}

/** Undefined for anything that is no report. */
export function parseReport(message: unknown): GuardianReport | undefined {
  const { type, serverPid, version, code, reason } = fieldsOf(message);
  if (type === "started" && typeof serverPid === "number")
    return { type, serverPid, ...(typeof version === "string" && { version }) };
  if (typeof reason !== "string") return undefined;
  if (type === "server_died") return { type, reason };
  if (type === "failed" && (code === "missing_dependency" || code === "redis_unavailable"))
    return { type, code, reason };
  return undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
