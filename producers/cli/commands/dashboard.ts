import { once } from "node:events";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { checkExposure } from "../../dashboard/access.js";
import type * as DashboardServer from "../../dashboard/server.js";
import { createLogger, requireRedis } from "../context.js";
import { env } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DASHBOARD } from "../options/dashboard.js";
import { LOGS } from "../options/messages.js";
import { REDIS_ADDRESS } from "../options/redis.js";

import { stopSignal } from "../stop-signal.js";
import { errnoOf } from "../../../src/platform/file-system-errors.js";

const GROUPS = {
  redis: REDIS_ADDRESS,
  dashboard: DASHBOARD,
  messages: LOGS,
};

const PACKAGES = ["@bull-board/api", "@bull-board/hono"];

export function defineDashboard(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await dashboard(parsed);
  });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: [
      "rankmill dashboard",
      "RANKMILL_DASHBOARD_PASSWORD=… rankmill dashboard --dashboard-host 0.0.0.0",
    ],
    notes: [
      `The dashboard is read-only unless --allow-actions is given. It shows queries and
documents of waiting jobs. If others can reach it, RANKMILL_DASHBOARD_PASSWORD
must be set; any user name is accepted.
It needs REDIS_URL, and packages that are not installed by default:
  npm install ${PACKAGES.join(" \\\n    ")}`,
    ],
  });
}

async function dashboard(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { dashboardHost: host, dashboardPort: port, allowActions } = values.dashboard;
  const password = env["RANKMILL_DASHBOARD_PASSWORD"];
  checkExposure(host, password);
  const { openDashboard } = await loadServer();
  const logger = createLogger(values.messages, "info", 1);
  const signal = stopSignal();
  const redis = await requireRedis(values.redis, logger);
  try {
    const running = await openDashboard({ redis, host, port, password, allowActions, logger });
    const { address } = running;
    logger.info({ host: address.address, port: address.port, allowActions }, "serving dashboard");
    if (!signal.aborted) await once(signal, "abort");
    await running.close();
    return EXIT.ok;
  } finally {
    redis.disconnect();
  }
}

/** @throws RankmillError `missing_dependency` with what to install */
async function loadServer(): Promise<typeof DashboardServer> {
  try {
    return await import("../../dashboard/server.js");
  } catch (error) {
    if (errnoOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new RankmillError(
      "missing_dependency",
      `the dashboard needs packages that are not installed: npm install ${PACKAGES.join(" ")}`,
      { cause: error },
    );
  }
}
