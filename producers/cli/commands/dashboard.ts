import { once } from "node:events";
import type { Command } from "commander";
import { checkExposure } from "../../dashboard/access.js";
import { Runs } from "../../../src/app/runs/runs.js";
import { createLogger, requireRedis, requireSpool } from "../context.js";
import { env } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DASHBOARD } from "../options/dashboard.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { stopSignal } from "../stop-signal.js";

const GROUPS = {
  run: pick(RUN, "spool"),
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
      `The dashboard shows runs, workers and queues. It is read-only unless --allow-actions is
given, and hides queries and documents unless --show-texts is. Failures and rankings
of a run in a spool are shown if --spool names it. If others can reach the dashboard,
RANKMILL_DASHBOARD_PASSWORD must be set: a browser signs in with it, a script sends
it as the password of any user.
It needs REDIS_URL. Its page for queues needs packages that are not installed by default:
  npm install ${PACKAGES.join(" \\\n    ")}`,
    ],
  });
}

async function dashboard(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { dashboardHost: host, dashboardPort: port, allowActions, showTexts } = values.dashboard;
  const { spool } = values.run;
  const password = env["RANKMILL_DASHBOARD_PASSWORD"];
  checkExposure(host, password);
  const { openDashboard } = await import("../../dashboard/server.js");
  const logger = createLogger(values.messages, "info", 1);
  const signal = stopSignal();
  const redis = await requireRedis(values.redis, logger);
  const runs = new Runs(redis, spool === undefined ? undefined : () => requireSpool(spool));
  const access = { password, allowActions, showTexts };
  try {
    const running = await openDashboard({ runs, host, port, ...access, logger });
    const { address } = running;
    logger.info({ host: address.address, port: address.port, allowActions }, "serving dashboard");
    if (!signal.aborted) await once(signal, "abort");
    await running.close();
    await runs.close();
    return EXIT.ok;
  } finally {
    redis.disconnect();
  }
}
