/** A Python package index as PEP 503 and 691 have it: what pip reads, and what every mirror serves. */
import { z } from "zod";
import { RankmillError } from "../../core/errors.js";
import { networkReason, retryAfterMs, TransientHubError } from "../pull/hub-client.js";
import { option, wording } from "../../core/wording.js";

const ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";

const listingSchema = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string() })),
});

export class PackageIndex {
  readonly #base: URL;
  /** Authorization made from `user:password@` in the address; sent to its own host alone. */
  readonly #authorization: string | undefined;

  /** @throws RankmillError `invalid_option` if `address` is no address */
  constructor(address: string) {
    if (!URL.canParse(address) || !/^https?:/.test(address)) {
      throw new RankmillError(
        "invalid_option",
        wording`${option("indexUrl")}: "${address}" is not the http(s) address of a package index`,
      );
    }
    const url = new URL(address);
    this.#authorization =
      url.username === ""
        ? undefined
        : `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString("base64")}`;
    url.username = "";
    url.password = "";
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/`;
    this.#base = url;
  }

  /** The address without the parts that may be secret. */
  get address(): string {
    return `${this.#base.origin}${this.#base.pathname}`;
  }

  /**
   * @returns the address of `fileName` among the files of `project`
   * @throws RankmillError `download_failed` if the index has none; TransientHubError
   */
  async locate(project: string, fileName: string, signal: AbortSignal): Promise<URL> {
    const page = new URL(`${project}/`, this.#base);
    const response = await this.#get(page, { accept: ACCEPT }, signal);
    if (response.status === 404) {
      await response.body?.cancel();
      throw this.#missing(`no project ${project}`);
    }
    await this.#refuse(response, page);
    const text = await response.text().catch((error: unknown) => {
      throw new TransientHubError(`${page.host} broke off`, { cause: error });
    });
    const href = this.#fromJson(text, fileName) ?? fromHtml(text, fileName);
    if (href === undefined) throw this.#missing(`no ${fileName}`);
    const url = new URL(href, page);
    url.hash = "";
    return url;
  }

  /** @throws TransientHubError if another attempt may help; RankmillError `download_failed` */
  async open(url: URL, offset: number, signal: AbortSignal): Promise<Response> {
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    // Compressed on the way, a byte offset would mean something else on each side.
    const response = await this.#get(url, { ...range, "accept-encoding": "identity" }, signal);
    if (response.status === 416) return response;
    await this.#refuse(response, url);
    return response;
  }

  async #get(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const own = url.origin === this.#base.origin ? this.#authorization : undefined;
    const authorization: Record<string, string> = own === undefined ? {} : { authorization: own };
    try {
      return await fetch(url, { headers: { ...headers, ...authorization }, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new TransientHubError(`${url.host} cannot be reached (${networkReason(error)})`, {
        cause: error,
      });
    }
  }

  async #refuse(response: Response, url: URL): Promise<void> {
    if (response.ok) return;
    await response.body?.cancel();
    const { status } = response;
    const said = `${url.host} answered ${status} for ${url.pathname.split("/").findLast((part) => part !== "") ?? "/"}`;
    if (status === 408 || status === 429 || status >= 500) {
      const wish = retryAfterMs(response.headers.get("retry-after"));
      throw new TransientHubError(said, { retryAfterMs: wish });
    }
    throw new RankmillError("download_failed", wording`${said}: check ${option("indexUrl")}`);
  }

  #fromJson(text: string, fileName: string): string | undefined {
    if (!text.trimStart().startsWith("{")) return undefined;
    try {
      const { files } = listingSchema.parse(JSON.parse(text));
      return files.find((file) => file.filename === fileName)?.url;
    } catch (error) {
      throw new RankmillError(
        "download_failed",
        wording`${this.address} did not answer as a package index does: check ${option("indexUrl")}`,
        { cause: error },
      );
    }
  }

  #missing(what: string): RankmillError {
    return new RankmillError(
      "download_failed",
      wording`the package index ${this.address} has ${what}: check ${option("indexUrl")}, or give the files with ${option("from")}`,
    );
  }
}

/** `<a href="ADDRESS#sha256=…">NAME</a>`; the name in the address itself decides. */
function fromHtml(text: string, fileName: string): string | undefined {
  for (const [, href = ""] of text.matchAll(/<a\s[^>]*?href="([^"]+)"/gi)) {
    const address = href.replaceAll("&amp;", "&");
    const last = address.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "";
    if (decodeURIComponent(last) === fileName) return address;
  }
  return undefined;
}
