import type { Server } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";

/**
 * Keeps a server's connections within a bound. A newcomer takes the place of the oldest connection
 * that has no request under way, so that silent connections and slow headers lock nobody out. If every
 * connection has a request under way, the newcomer is dropped.
 */
export function boundConnections(server: Server, most: number): void {
  const open = new Set<Socket>();
  const busy = new Map<Socket, number>();
  // With TLS a request knows the connection above the socket.
  const event = server instanceof TlsServer ? "secureConnection" : "connection";
  server.on(event, (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      busy.delete(socket);
    });
    if (open.size <= most) return;
    // A set keeps the order in which its members came.
    const idle = [...open].find((one) => !busy.has(one));
    idle?.destroy();
  });
  server.on("request", ({ socket }, response) => {
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const left = (busy.get(socket) ?? 0) - 1;
      if (left > 0) busy.set(socket, left);
      else busy.delete(socket);
    });
  });
}
