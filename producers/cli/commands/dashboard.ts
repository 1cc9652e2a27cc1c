import { once } from "node:events";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { checkExposure } from "../../dashboard/access.js";
import type * as DashboardServer from "../../dashboard/server.js";
import { createLogger, env, requireRedis } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { commanderOptions, pickValues } from "../option-values.js";
import { stopSignal } from "../stop-signal.js";
import { errnoOf } from "../../../src/platform/file-system-errors.js";

const OPTION_NAMES = [
  "redisUrl",
  "dashboardPort",
  "dashboardHost",
  "allowActions",
  "logLevel",
] as const;

const PACKAGES = ["@bull-board/api", "@bull-board/hono", "hono", "@hono/node-server"];

export function addDashboard(program: Command): void {
  const command = program
    .command("dashboard")
    .description("show the queues of every model in a browser, with Bull Board")
    .addHelpText(
      "after",
      `
Read only unless --allow-actions is given. Shows queries and documents of jobs that wait: where others
could reach it, RANKMILL_DASHBOARD_PASSWORD must be set, and any user name will do.
Needs REDIS_URL, and packages that are not installed by default:
  npm install ${PACKAGES.join(" ")}`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await dashboard(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function dashboard(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const { dashboardHost: host, dashboardPort: port } = values;
  const password = env["RANKMILL_DASHBOARD_PASSWORD"];
  checkExposure(host, password);
  const { openDashboard } = await loadServer();
  const logger = createLogger(values.logLevel ?? "info", 1);
  const signal = stopSignal();
  const redis = await requireRedis(values.redisUrl, logger);
  try {
    const allowActions = values.allowActions === true;
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
