import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type * as JsRedisServer from "js-redis-server/core";
import type { HeldServer } from "./private-redis-binary.js";

/** Raised if the package js-redis-server is not installed. */
export class JsServerMissingError extends Error {}

/**
 * Runs js-redis-server inside this process, so that it cannot outlive it. The package's own
 * `createRedisServer` listens on every interface of the machine without a password; here its
 * sessions are attached to a socket in the private folder instead.
 *
 * @throws JsServerMissingError if the package is not installed
 */
export async function holdJsServer(socketPath: string): Promise<HeldServer> {
  const library = await loadLibrary();
  const state = new library.RedisServerState();
  const executor = library.createRedisCommandExecutor();
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    library.attachSession(new library.SocketConnectionTransport(socket), { state, executor });
  });
  const ended = new Promise<string>((resolve) => {
    listener.once("close", () => resolve("it was closed"));
    listener.on("error", (error) => resolve(error.message));
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(socketPath, resolve);
  });
  return {
    pid: process.pid,
    version: await libraryVersion(),
    ended,
    async stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      state.close();
      await ended;
    },
  };
}

async function loadLibrary(): Promise<typeof JsRedisServer> {
  try {
    return await import("js-redis-server/core");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new JsServerMissingError("the package js-redis-server is not installed", {
      cause: error,
    });
  }
}

/** Its INFO tells the version of Redis that it plays, and its package.json is not exported. */
async function libraryVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("js-redis-server");
  const text = await readFile(join(dirname(entry), "..", "package.json"), "utf8");
  // The parts are checked by hand, since the guardian loads no schema library.
  const manifest: unknown = JSON.parse(text);
  const named = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return named && typeof manifest.version === "string" ? manifest.version : "unknown";
}
