/** A proxy between a command and its Redis, which a test makes unreliable. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** One direction of one connection: chunks in order, each no sooner than its time. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #held: Buffer[] = [];
  #isHeld: boolean;
  #delayMs: number;
  #lastAtMs = 0;
  #ended = false;

  constructor(from: Socket, to: Socket, weather: { readonly delayMs: number; isHeld: boolean }) {
    this.#from = from;
    this.#to = to;
    this.#delayMs = weather.delayMs;
    this.#isHeld = weather.isHeld;
    from.on("data", (bytes) => this.#take(bytes));
    from.on("end", () => this.#end());
    if (this.#isHeld) from.pause();
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Nothing flows until `flow`, and nothing is lost: as if a network lost packets and sent them again. */
  hold(): void {
    this.#isHeld = true;
    this.#from.pause();
  }

  flow(): void {
    this.#isHeld = false;
    for (const bytes of this.#held.splice(0)) this.#take(bytes);
    if (this.#ended) this.#end();
    this.#from.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#isHeld) {
      this.#held.push(bytes);
      return;
    }
    const nowMs = performance.now();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + this.#delayMs);
    if (this.#lastAtMs <= nowMs) this.#write(bytes);
    else setTimeout(() => this.#write(bytes), this.#lastAtMs - nowMs);
  }

  #write(bytes: Buffer): void {
    if (this.#isHeld) this.#held.push(bytes);
    else if (this.#to.writable) this.#to.write(bytes);
  }

  #end(): void {
    this.#ended = true;
    if (!this.#isHeld)
      setTimeout(() => this.#to.end(), Math.max(0, this.#lastAtMs - performance.now()));
  }
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly pipes: readonly Pipe[];
}

export class TcpProxy {
  readonly #listener: Server;
  readonly #connections = new Set<Connection>();
  readonly #weather = { delayMs: 0, isHeld: false };

  private constructor(listener: Server, port: number) {
    this.#listener = listener;
    listener.on("connection", (client) => this.#welcome(client, port));
  }

  /** @param port of the server on this host */
  static async open(port: number): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new TcpProxy(listener, port);
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Resets every connection; new ones are welcome. @returns how many there were */
  drop(): number {
    const dropped = [...this.#connections];
    for (const { client, server } of dropped) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return dropped.length;
  }

  /** Tells every client that the server sends no more; what clients send still arrives. */
  halfClose(): number {
    for (const { client } of this.#connections) client.end();
    return this.#connections.size;
  }

  /** Every chunk takes so much longer, each way. */
  delay(ms: number): void {
    this.#weather.delayMs = ms;
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.delay(ms);
  }

  /** Connections stay open, new ones open, and nothing flows. */
  blackhole(): void {
    this.#weather.isHeld = true;
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.hold();
  }

  /** Good weather again. */
  restore(): void {
    this.delay(0);
    if (!this.#weather.isHeld) return;
    this.#weather.isHeld = false;
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.flow();
  }

  async close(): Promise<void> {
    this.restore();
    this.drop();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #welcome(client: Socket, port: number): void {
    const server = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const pipes = [
      new Pipe(client, server, this.#weather),
      new Pipe(server, client, this.#weather),
    ];
    const connection = { client, server, pipes };
    this.#connections.add(connection);
    const end = (): void => {
      this.#connections.delete(connection);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
  }
}
