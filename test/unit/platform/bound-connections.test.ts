import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { boundConnections } from "../../../src/platform/bound-connections.js";

const MOST = 3;

let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  server?.close();
});

/** @param answer false keeps every request under way */
async function listen(answer = true): Promise<number> {
  server = createServer((_, response) => {
    if (answer) response.end("here");
  });
  boundConnections(server, MOST);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function silent(port: number, text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return socket;
}

async function ask(port: number): Promise<string> {
  const request = get({ port, host: "127.0.0.1", agent: false });
  const [response] = (await once(request, "response")) as [AsyncIterable<Buffer>];
  let text = "";
  for await (const chunk of response) text += chunk.toString();
  return text;
}

describe("bounded connections", () => {
  it("let a newcomer in however many are silent or slow with their headers", async () => {
    const port = await listen();
    for (let i = 0; i < 4 * MOST; i += 1)
      await silent(port, i % 2 === 0 ? "" : "GET / HTTP/1.1\r\n");
    expect(await ask(port)).toBe("here");
  });

  it("drop the newcomer if every connection has a request under way", async () => {
    const port = await listen(false);
    for (let i = 0; i < MOST; i += 1) {
      const asked = once(server ?? createServer(), "request");
      await silent(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await asked;
    }
    await expect(ask(port)).rejects.toThrow(/hang up|ECONNRESET/);
    expect(sockets.every((socket) => !socket.destroyed)).toBe(true);
  });
});
