/** A real Chromium without a window, spoken to over a pipe: pages as people and their tools see them. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { CHROMIUM } from "./needs.js";
import { until } from "./until.js";

const messageSchema = z.object({
  id: z.int().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});

const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z
    .object({ text: z.string(), exception: z.object({ description: z.string() }).optional() })
    .optional(),
});

type Answer = z.infer<typeof messageSchema>;

/** Width and height of the page, in CSS pixels, and its colours. */
export interface PageLook {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

export class Chromium {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #commands: Writable;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  /** Errors on the consoles of the pages, those of their policy among them. */
  readonly errors: string[] = [];
  #session: string | undefined;
  #last = 0;
  #rest = "";

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#commands = child.stdio[3] as Writable;
    const answers = child.stdio[4] as Readable;
    answers.setEncoding("utf8").on("data", (text: string) => this.#read(text));
  }

  static async start(): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), "rankmill-chromium-"));
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"];
    const own = ["--hide-scrollbars", "--no-first-run", `--user-data-dir=${folder}`];
    const child = spawn(CHROMIUM, [...args, ...own, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    });
    const chromium = new Chromium(child, folder);
    const { targetId } = await chromium.#send("Target.createTarget", { url: "about:blank" });
    const attached = await chromium.#send("Target.attachToTarget", { targetId, flatten: true });
    chromium.#session = z.string().parse(attached["sessionId"]);
    for (const domain of ["Page", "Runtime", "Log"]) await chromium.#send(`${domain}.enable`);
    return chromium;
  }

  async show({ width, height, dark = false }: PageLook): Promise<void> {
    const mobile = width < 600;
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      mobile,
      deviceScaleFactor: mobile ? 2 : 1,
    });
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await this.#send("Emulation.setEmulatedMedia", { features });
  }

  /** Opens an address, and waits until its page has been read whole. */
  async open(url: string): Promise<void> {
    await this.#send("Page.navigate", { url });
    await this.untilPage("the page is read", `document.readyState === "complete"`);
  }

  /** The value of an expression in the page; a promise is waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const evaluated = evaluatedSchema.parse(await this.#send("Runtime.evaluate", options));
    const { exceptionDetails: thrown } = evaluated;
    if (thrown !== undefined) throw new Error(thrown.exception?.description ?? thrown.text);
    return evaluated.result.value;
  }

  /** Waits for an expression to be true; a page that is being replaced has none. */
  async untilPage(what: string, expression: string): Promise<void> {
    await until(
      what,
      async () => (await this.evaluate(expression).catch(() => false)) === true,
      () => this.errors.join("\n"),
    );
  }

  /** The visible text of an element, or of the whole page. */
  async text(selector = "body"): Promise<string> {
    const found = await this.evaluate(
      `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`,
    );
    return String(found).replaceAll(/\s+/g, " ");
  }

  /** Presses a button or follows a link, and waits for the page that comes of it. */
  async press(selector: string): Promise<void> {
    await this.evaluate(
      `window.before = true; document.querySelector(${JSON.stringify(selector)}).click()`,
    );
    await this.untilPage(
      "the next page is read",
      `window.before === undefined && document.readyState === "complete"`,
    );
  }

  /** Types a key, as `Tab`, `Enter` or a letter. */
  async type(key: string): Promise<void> {
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const options = { key, code: key, windowsVirtualKeyCode: KEY_CODES[key] ?? 0 };
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", text, ...options });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...options });
  }

  /** A picture of the top of the page, as PNG. */
  async picture(path: string, { width, height }: PageLook): Promise<void> {
    const clip = { x: 0, y: 0, width, height, scale: 1 };
    const options = { format: "png", clip };
    const { data } = await this.#send("Page.captureScreenshot", options);
    await writeFile(path, Buffer.from(z.string().parse(data), "base64"));
  }

  async close(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
    // Its other processes may still write as they end.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#last += 1;
    const id = this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const sessionId = this.#session;
    this.#commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { error, result } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  #read(text: string): void {
    const messages = (this.#rest + text).split("\0");
    this.#rest = messages.pop() ?? "";
    for (const one of messages) {
      const message = messageSchema.parse(JSON.parse(one));
      if (message.id !== undefined) {
        this.#waiting.get(message.id)?.(message);
        this.#waiting.delete(message.id);
      } else if (message.method === "Log.entryAdded") {
        const { entry } = entrySchema.parse(message.params);
        if (entry.level === "error") this.errors.push(`${entry.text} ${entry.url ?? ""}`);
      }
    }
  }
}

const KEY_CODES: Readonly<Record<string, number>> = { Tab: 9, Enter: 13 };

const entrySchema = z.object({
  entry: z.object({ level: z.string(), text: z.string(), url: z.string().optional() }),
});
