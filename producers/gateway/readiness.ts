/** The signs by which a gateway's readiness is told. */
interface Signs {
  readonly redisIsAway: boolean;
  readonly models: { list(): Promise<unknown> };
}

const SILENT = "Redis does not answer";

/** The reason why the gateway is of no use now; undefined if it is. Without a worker it still queues. */
export async function unreadiness(
  gateway: Signs,
  stopping: AbortSignal,
): Promise<string | undefined> {
  if (stopping.aborted) return "stopping";
  const silent = (): string | undefined => (gateway.redisIsAway ? SILENT : undefined);
  // The models may be known from before Redis fell silent.
  return silent() ?? (await gateway.models.list().then(silent, () => SILENT));
}
