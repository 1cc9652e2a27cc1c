/**
 * The parts of the Hugging Face hub's HTTP API that a pull needs. Not the `@huggingface/hub`
 * package: its downloads neither resume nor check a hash, which is most of the work here.
 */
import { z } from "zod";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";

export const HUB_ENDPOINT = "https://huggingface.co";

export interface HubOptions {
  /** Base address of the hub or of a mirror. Default: {@link HUB_ENDPOINT}. */
  readonly endpoint?: string | undefined;
  /** Sent as a bearer token; leaves the hub's own host never (redirects drop it). */
  readonly token?: string | undefined;
}

/** A file as the hub lists it. */
export interface HubListedFile {
  readonly path: string;
  readonly bytes: number | undefined;
  /** SHA-256 of a large file. */
  readonly sha256: string | undefined;
  /** Git's blob id (SHA-1) of small files, which have no sha256 in the listing. */
  readonly gitBlobId: string | undefined;
}

export interface HubListing {
  /** The commit, 40 hex digits. */
  readonly commit: string;
  readonly files: readonly HubListedFile[];
}

/** Worth another attempt: the network, or a server that is busy. */
export class TransientHubError extends Error {
  /** The server's own wish, from Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(message, { cause: details.cause });
    this.retryAfterMs = details.retryAfterMs;
  }
}

const listingSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().nullish(),
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.string().nullish(), size: z.number().nullish() }).nullish(),
    }),
  ),
});

export class HubClient {
  readonly #endpoint: string;
  readonly #token: string | undefined;

  constructor(options: HubOptions) {
    this.#endpoint = (options.endpoint ?? HUB_ENDPOINT).replace(/\/+$/, "");
    this.#token = options.token === "" ? undefined : options.token;
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  /**
   * @throws RankmillError `model_not_found` (404), `access_denied` (401, 403), `download_failed`;
   *   TransientHubError if another attempt may help
   */
  async list(
    repository: string,
    revision: string,
    signal: AbortSignal | undefined,
  ): Promise<HubListing> {
    const url = `${this.#endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
    const response = await this.#get(url, {}, signal);
    if (!response.ok) {
      await response.body?.cancel();
      throw this.#refused(response, repository, `revision ${revision}`);
    }
    const parsed = listingSchema.safeParse(await readJson(response, url));
    if (!parsed.success) {
      throw new RankmillError(
        "download_failed",
        `${url} did not answer as a hub does: check HF_ENDPOINT`,
        { cause: parsed.error },
      );
    }
    return {
      commit: parsed.data.sha,
      files: parsed.data.siblings.map((file) => ({
        path: file.rfilename,
        bytes: file.lfs?.size ?? file.size ?? undefined,
        sha256: file.lfs?.sha256 ?? undefined,
        gitBlobId: file.lfs == null ? (file.blobId ?? undefined) : undefined,
      })),
    };
  }

  /**
   * Opens a file at `offset`. The caller reads or cancels the body.
   * @returns a response with status 200 (from the start), 206 or 416
   */
  async open(
    repository: string,
    commit: string,
    path: string,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    const url = `${this.#endpoint}/${repository}/resolve/${commit}/${escaped}`;
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.#get(url, headers, signal);
    if (response.ok || response.status === 416) return response;
    await response.body?.cancel();
    throw this.#refused(response, repository, `file ${path} at revision ${commit}`);
  }

  async #get(
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const authorization =
      this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    try {
      return await fetch(url, {
        // Compressed on the way, a byte offset would mean something else on each side.
        headers: { ...headers, ...authorization, "accept-encoding": "identity" },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new TransientHubError(`${this.#endpoint} cannot be reached (${networkReason(error)})`, {
        cause: error,
      });
    }
  }

  #refused(response: Response, repository: string, what: string): Error {
    const { status } = response;
    if (status === 401 || status === 403) {
      const remedy =
        this.#token === undefined
          ? "set HF_TOKEN to a token that may read it, and accept its terms on its page if it has any"
          : "HF_TOKEN may not read it: accept its terms on its page or use another token";
      return new RankmillError(
        "access_denied",
        `${this.#endpoint}/${repository} refuses access (${status}): it is gated, private or misspelt; ${remedy}`,
      );
    }
    if (status === 404) {
      return new RankmillError(
        "model_not_found",
        wording`repository ${repository} has no ${what} on ${this.#endpoint} (404): check the name and ${option("revision")}`,
      );
    }
    if (status === 408 || status === 429 || status >= 500) {
      return new TransientHubError(`${this.#endpoint} answered ${status} for ${what}`, {
        retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
      });
    }
    return new RankmillError(
      "download_failed",
      `${this.#endpoint} answered ${status} for ${what} of ${repository}: check HF_ENDPOINT`,
    );
  }
}

async function readJson(response: Response, url: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new TransientHubError(`${url} broke off or is not JSON`, { cause: error });
  }
}

/** `fetch failed` says nothing; the reason is in its cause. */
export function networkReason(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

export function retryAfterMs(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
