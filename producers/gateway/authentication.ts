import { LOCAL_CALLER, type Caller } from "../../src/core/caller.js";

/** The parts of a request that say who asks; header names in lower case. */
export interface Credentials {
  readonly header: (name: string) => string | undefined;
  readonly remoteAddress: string;
}

export type Authentication =
  | { readonly status: "admitted"; readonly caller: Caller }
  | {
      readonly status: "refused";
      readonly code: 401 | 403 | 429;
      readonly message: string;
      readonly retryAfterSeconds?: number;
    };

/** Says who asks. */
export type Authenticate = (credentials: Credentials) => Promise<Authentication>;

/** The rule of a gateway without keys, which only users of this host can reach. */
export const admitLocal: Authenticate = () =>
  Promise.resolve({ status: "admitted", caller: LOCAL_CALLER });

/** Paths of probes. */
export const PROBE_PATHS: ReadonlySet<string> = new Set([
  "/health",
  "/healthz",
  "/readyz",
  "/.well-known/ready",
  "/.well-known/live",
]);

/** Paths of the API's description, which is equal for all gateways of a version. */
export const DESCRIPTION_PATHS = { document: "/openapi.json", page: "/docs" } as const;

/** Paths that ask for no key. */
export const KEYLESS_PATHS: ReadonlySet<string> = new Set([
  ...PROBE_PATHS,
  ...Object.values(DESCRIPTION_PATHS),
]);
