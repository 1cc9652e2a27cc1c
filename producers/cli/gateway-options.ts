import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import type { ServerTls } from "../gateway/listen.js";
import type { GatewayServerOptions } from "../gateway/server.js";
import { parseAliases } from "./aliases.js";
import type { DASHBOARD } from "./options/dashboard.js";
import type { GatewayValues } from "./options/gateway.js";
import type { GroupValues } from "./options/option-spec.js";
import { readPem } from "./redis-target.js";

type GivenOptions = Omit<
  GatewayServerOptions,
  "redis" | "logger" | "authenticate" | "limits" | "instruments" | "tenancy" | "tls" | "times"
>;

/** The gateway's settings, as the command line gives them. @throws RankmillError `invalid_option` */
export function gatewayOptions(
  values: GatewayValues & Pick<GroupValues<typeof DASHBOARD>, "showTexts">,
): GivenOptions {
  const { host, port, alias, defaultModel, deadline, hangUpGrace, allowedHost } = values;
  const {
    maxListDocuments,
    maxWaitingClients,
    strictDocuments,
    trustForwarded,
    dashboard,
    showTexts,
  } = values;
  return {
    host,
    port,
    names: { aliases: parseAliases(alias), defaultModel },
    maxListDocuments,
    maxWaitingClients,
    bounds: values,
    strictDocuments,
    deadlineMs: deadline * 1_000,
    graceMs: hangUpGrace * 1_000,
    allowedHosts: allowedHost,
    trustsProxy: trustForwarded,
    pages: dashboard ? { showTexts } : undefined,
  };
}

/** @throws RankmillError `invalid_option` if a file cannot be read, or one of the two is missing */
export async function readServerTls(values: GatewayValues): Promise<ServerTls | undefined> {
  const cert = await readPem("tlsCert", values.tlsCert);
  const key = await readPem("tlsKey", values.tlsKey);
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const message = wording`${option("tlsCert")} and ${option("tlsKey")} are needed together`;
  throw new RankmillError("invalid_option", message, { field: "tlsCert" });
}
