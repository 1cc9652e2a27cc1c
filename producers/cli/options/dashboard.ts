import type { OptionGroup } from "./option-spec.js";

/** The dashboard's server. */
export const DASHBOARD = {
  title: "Dashboard",
  options: {
    dashboardPort: {
      flags: "--dashboard-port <n>",
      env: "RANKMILL_DASHBOARD_PORT",
      type: "integer",
      min: 0,
      max: 65_535,
      default: 9_465,
      description: "port of the dashboard; 0 takes any free port",
    },
    dashboardHost: {
      flags: "--dashboard-host <address>",
      env: "RANKMILL_DASHBOARD_HOST",
      type: "text",
      default: "127.0.0.1",
      description:
        "address of the dashboard; any other than the loopback needs RANKMILL_DASHBOARD_PASSWORD",
    },
    allowActions: {
      flags: "--allow-actions",
      type: "flag",
      description:
        "let viewers of the dashboard retry, cancel and purge runs, retry and remove jobs, and pause queues",
    },
    showTexts: {
      flags: "--show-texts",
      type: "flag",
      description: "show queries, documents and inputs on the pages for runs, and in Bull Board",
    },
  },
} as const satisfies OptionGroup;
