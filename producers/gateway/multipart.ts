import { Refusal } from "./refusal.js";

const MAX_HEAD_BYTES = 16_384;
const MAX_FIELD_BYTES = 65_536;
const MAX_FIELDS = 64;
const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");

/** A part of a form, whose bytes must be read before the next part. */
export interface FormPart {
  readonly name: string;
  /** Present for a file. */
  readonly filename: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** The boundary of a multipart form, from its content type; undefined: it is none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (!/^multipart\/form-data\b/i.test(contentType ?? "")) return undefined;
  const found = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))(?=\s*(?:;|$))/i.exec(
    contentType ?? "",
  );
  return found?.[1] ?? found?.[2];
}

/**
 * The parts of a multipart form, as they come. A few kilobytes of it are in memory, whatever its size.
 *
 * @throws Refusal 400 for a form that is cut short or damaged; 413 for a head that is too long
 */
export async function* readForm(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const reader = new FormReader(body, Buffer.from(`\r\n--${boundary}`));
  await reader.start(Buffer.from(`--${boundary}`));
  for (let parts = 0; await reader.hasPart(); parts += 1) {
    if (parts >= MAX_FIELDS) throw damaged(`it has more than ${MAX_FIELDS} parts`);
    const head = await reader.head();
    const chunks = reader.chunks();
    yield { ...namesIn(head), chunks };
    // What its reader has left stands before the next part.
    for await (const _ of chunks) continue;
  }
}

/** A field of a form as a text. @throws Refusal 413 */
export async function readField({ name, chunks }: FormPart): Promise<string> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MAX_FIELD_BYTES) {
      const message = `${name.slice(0, 100)}: has more than ${MAX_FIELD_BYTES} bytes`;
      throw new Refusal(413, "limit_exceeded", message);
    }
    read.push(chunk);
  }
  return Buffer.concat(read).toString("utf8");
}

class FormReader {
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Uint8Array>, delimiter: Buffer) {
    this.#body = body[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** Goes behind the first delimiter, which has no line break before it. */
  async start(first: Buffer): Promise<void> {
    await this.#fill(first.length);
    if (this.#buffer.subarray(0, 2).equals(CRLF)) this.#take(2);
    await this.#fill(first.length);
    if (!this.#take(first.length).equals(first))
      throw damaged("it does not begin with its boundary");
  }

  /** Behind a delimiter: whether a part follows, or the end. */
  async hasPart(): Promise<boolean> {
    await this.#fill(2);
    const next = this.#take(2);
    if (next.equals(CRLF)) return true;
    if (next.toString() === "--") return false;
    throw damaged("its boundary is followed by neither a part nor its end");
  }

  async head(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(HEAD_END);
      if (end >= 0) return this.#take(end + HEAD_END.length).toString("utf8");
      if (this.#buffer.length > MAX_HEAD_BYTES) throw damaged("a part has too long a head");
      await this.#more();
    }
  }

  /** The bytes of a part; afterwards the reader stands behind its delimiter. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const end = this.#buffer.indexOf(this.#delimiter);
      if (end >= 0) {
        if (end > 0) yield this.#take(end);
        this.#take(this.#delimiter.length);
        return;
      }
      // The delimiter may have begun.
      const sure = this.#buffer.length - this.#delimiter.length + 1;
      if (sure > 0) yield this.#take(sure);
      await this.#more();
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    return taken;
  }

  async #fill(bytes: number): Promise<void> {
    while (this.#buffer.length < bytes) await this.#more();
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#body.next();
    if (done === true) throw damaged("it was cut short");
    this.#buffer = Buffer.concat([this.#buffer, value]);
  }
}

function namesIn(head: string): Pick<FormPart, "name" | "filename"> {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? "";
  const name = parameter(disposition, "name");
  if (name === undefined) throw damaged("a part has no name");
  return { name, filename: parameter(disposition, "filename") };
}

/** A parameter of a header as browsers and fetch write it: quoted, with %22 for a quote. */
function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, "i").exec(
    header,
  );
  const value = found?.[1]?.replaceAll(/\\(.)/g, "$1") ?? found?.[2];
  return value?.replaceAll("%22", '"').replaceAll(/%0[DA]/gi, " ");
}

function damaged(why: string): Refusal {
  return new Refusal(400, "invalid_field", `the form cannot be read: ${why}`);
}
