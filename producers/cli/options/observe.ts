import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The places where a process shows its health and its figures. */
export const OBSERVE = {
  title: "Health and metrics",
  options: {
    healthFile: {
      flags: "--health-file <file>",
      env: "RANKMILL_HEALTH_FILE",
      type: "text",
      computedDefault: "none",
      description: "file in which the process reports its health every 5 s",
    },
    metricsPort: {
      flags: "--metrics-port <n>",
      env: "RANKMILL_METRICS_PORT",
      type: "integer",
      min: 0,
      max: 65_535,
      computedDefault: "none; 9464 in the image",
      description: "port for /metrics, /healthz and /readyz; 0 takes any free port",
    },
    metricsHost: {
      flags: "--metrics-host <address>",
      env: "RANKMILL_METRICS_HOST",
      type: "text",
      default: "127.0.0.1",
      description: "address to serve metrics on, without authentication",
    },
  },
} as const satisfies OptionGroup;

export type ObserveValues = GroupValues<typeof OBSERVE>;
