import type { Gateway } from "../../src/app/gateway/gateway.js";

/** The reason why the gateway is of no use now; undefined if it is. Without a worker it still queues. */
export async function unreadiness(
  gateway: Gateway,
  stopping: AbortSignal,
): Promise<string | undefined> {
  if (stopping.aborted) return "stopping";
  return await gateway.models.list().then(
    () => undefined,
    () => "Redis does not answer",
  );
}
