import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The gateway's server. */
export const GATEWAY = {
  title: "Gateway",
  options: {
    port: {
      flags: "--port <n>",
      env: "RANKMILL_PORT",
      type: "integer",
      min: 0,
      max: 65_535,
      default: 8_780,
      description: "port of the gateway; 0 takes any free port",
    },
    host: {
      flags: "--host <address>",
      env: "RANKMILL_HOST",
      type: "text",
      default: "127.0.0.1",
      description: "address of the gateway; any other than the loopback needs API keys",
    },
    allowedHost: {
      flags: "--allowed-host <name>",
      env: "RANKMILL_ALLOWED_HOST",
      type: "list",
      description:
        "names beside localhost by which clients may ask for a gateway on the loopback: host.docker.internal",
    },
    trustForwarded: {
      flags: "--trust-forwarded",
      type: "flag",
      description: "take a client's address from X-Forwarded-For, behind a proxy of your own",
    },
    tlsCert: {
      flags: "--tls-cert <file>",
      env: "RANKMILL_TLS_CERT",
      type: "text",
      description: "certificate of the gateway with those that lead to its authority, as PEM",
    },
    tlsKey: {
      flags: "--tls-key <file>",
      env: "RANKMILL_TLS_KEY",
      type: "text",
      description: "private key of --tls-cert, as PEM",
    },
    deadline: {
      flags: "--deadline <n>",
      env: "RANKMILL_DEADLINE",
      type: "integer",
      min: 1,
      max: 300,
      default: 25,
      unit: "seconds",
      description: "time for an answer, unless the client asks for another with Prefer: wait=N",
    },
    alias: {
      flags: "--alias <name=model>",
      env: "RANKMILL_ALIAS",
      type: "list",
      description: "other names of served models: rerank-v3.5=bge-reranker-v2-m3",
    },
    defaultModel: {
      flags: "--default-model <name>",
      env: "RANKMILL_DEFAULT_MODEL",
      type: "text",
      computedDefault: "the only one that is served, unless that is builtin-bm25",
      description: "model of requests that name none",
    },
    strictDocuments: {
      flags: "--strict-documents",
      type: "flag",
      description: "answer 422 if one document cannot be scored; it comes last otherwise",
    },
    maxListDocuments: {
      flags: "--max-list-documents <n>",
      env: "RANKMILL_MAX_LIST_DOCUMENTS",
      type: "integer",
      min: 1,
      default: 100_000,
      unit: "documents",
      description: "most documents of one request; a list longer than a job is cut into several",
    },
    maxWaitingClients: {
      flags: "--max-waiting-clients <n>",
      env: "RANKMILL_MAX_WAITING_CLIENTS",
      type: "integer",
      min: 1,
      default: 10_000,
      unit: "clients",
      description: "most clients that wait for an answer at once",
    },
    hangUpGrace: {
      flags: "--hang-up-grace <n>",
      env: "RANKMILL_HANG_UP_GRACE",
      type: "integer",
      min: 0,
      max: 300,
      default: 15,
      unit: "seconds",
      description: "time for a client that hung up to ask again, before its job is stopped",
    },
    maxBodyBytes: {
      flags: "--max-body-bytes <n>",
      env: "RANKMILL_MAX_BODY_BYTES",
      type: "integer",
      min: 1,
      default: 67_108_864,
      unit: "bytes",
      description: "largest body of a request, inflated",
    },
    maxInFlightBytes: {
      flags: "--max-in-flight-bytes <n>",
      env: "RANKMILL_MAX_IN_FLIGHT_BYTES",
      type: "integer",
      min: 1,
      default: 268_435_456,
      unit: "bytes",
      description: "most bytes of all bodies that the gateway holds at once",
    },
  },
} as const satisfies OptionGroup;

export type GatewayValues = GroupValues<typeof GATEWAY>;
