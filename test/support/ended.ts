import type { Socket } from "node:net";

/**
 * Waits until a connection is over. Whoever is cut off while it sends may see a reset first, which `once` of
 * node:events would throw.
 */
export async function ended(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}
