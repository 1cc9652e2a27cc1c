/**
 * A gate in front of the model, of the tokenizer, or of the release of jobs: work that a test must find under way
 * is held there, and goes on when the test says so. Lanes and tokenizers are the real ones; a process asks before each
 * message that they get.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.js";

/** Code that asks at the gate, and the variable that names the gate to it. */
const PLACES = {
  lane: { preload: "gate-lane.mjs", variable: "RANKMILL_TEST_GATE" },
  tokenizer: { preload: "gate-tokenizer.mjs", variable: "RANKMILL_TEST_TOKENIZER_GATE" },
  release: { preload: "gate-release.mjs", variable: "RANKMILL_TEST_RELEASE_GATE" },
} as const;
type GatePlace = keyof typeof PLACES;

/**
 * Open at first, so that lanes are measured and warmed up without the test.
 *
 * A lane that is held answers nothing. A worker takes it for hung after 30 seconds or more, replaces
 * it, and its work comes to the gate again: nothing passes.
 */
export class Gate {
  readonly #server: Server;
  readonly #path: string;
  readonly #place: GatePlace;
  /** Lanes that wait, one entry per message. */
  #waiting: Socket[] = [];
  readonly #lanes = new Set<Socket>();
  /** Messages that may pass; each that passes takes one. */
  #left = Infinity;
  #passed = 0;

  private constructor(server: Server, path: string, place: GatePlace) {
    this.#server = server;
    this.#path = path;
    this.#place = place;
    server.on("connection", (lane) => this.#welcome(lane));
  }

  static async open(place: GatePlace = "lane"): Promise<Gate> {
    const path = join(tmpdir(), `rankmill-gate-${randomUUID().slice(0, 8)}.sock`);
    const server = createServer().listen(path);
    await once(server, "listening");
    return new Gate(server, path, place);
  }

  /** Variables of the commands that shall ask. */
  get env(): Readonly<Record<string, string>> {
    const { preload, variable } = PLACES[this.#place];
    const { href } = new URL(preload, import.meta.url);
    return { NODE_OPTIONS: `--import=${href}`, [variable]: this.#path };
  }

  /** Messages that a lane has and that wait here. */
  get held(): number {
    return this.#waiting.length;
  }

  /** Messages that have passed so far. */
  get passed(): number {
    return this.#passed;
  }

  /** Lets `messages` more pass, and holds what comes after them. */
  hold(messages = 0): void {
    this.#left = messages;
    this.#letPass();
  }

  /** Lets pass what waits and whatever comes. */
  release(): void {
    this.hold(Infinity);
  }

  /**
   * Lets work go on bit by bit until a condition holds, then holds what is left: the work is never
   * over before the test has seen it, however fast the machine is.
   *
   * @param messages that may pass before the condition is looked at again
   */
  async stepUntil<T>(
    what: string,
    condition: () => T | Promise<T>,
    messages = 1,
  ): Promise<Exclude<T, false | undefined | null>> {
    const value = await until(what, async () => {
      const found = await condition();
      this.hold(found === false || found === undefined || found === null ? messages : 0);
      return found;
    });
    if (this.#passed === 0) throw new Error("no lane has asked at the gate: it held nothing");
    return value;
  }

  /** Waits until a message stands before the gate: jobs are then in a worker's hands, and stay there. */
  async untilHeld(): Promise<void> {
    await until("a message is held at the gate", () => this.held > 0);
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) lane.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #welcome(lane: Socket): void {
    this.#lanes.add(lane);
    lane.on("error", () => undefined);
    lane.on("data", (asked) => {
      for (let i = 0; i < asked.length; i += 1) this.#waiting.push(lane);
      this.#letPass();
    });
    lane.on("close", () => {
      this.#lanes.delete(lane);
      this.#waiting = this.#waiting.filter((one) => one !== lane);
    });
  }

  #letPass(): void {
    while (this.#left > 0) {
      const lane = this.#waiting.shift();
      if (lane === undefined) return;
      this.#left -= 1;
      this.#passed += 1;
      lane.write("!");
    }
  }
}
