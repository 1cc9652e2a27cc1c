import type { Metrics } from "./registry.js";

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

/** A request that is over. */
export interface FinishedRequest {
  /** As the gateway names it, never as a client wrote it. */
  readonly route: string;
  readonly status: number;
  readonly tookMs: number;
}

/** Figures that are looked up at a scrape. */
export interface GatewayFigures {
  readonly waitingClients: number;
  readonly bodyBytes: number;
}

/** Counts the requests of a gateway. Every label's values are few: routes, and statuses that it gives. */
export function countRequests(
  metrics: Metrics,
  figures: () => GatewayFigures,
): (request: FinishedRequest) => void {
  const requests = metrics.counter(
    "gateway_requests_total",
    "Requests that are over, by route and status; 499: the client hung up",
    ["route", "status"],
  );
  const seconds = metrics.histogram(
    "gateway_request_seconds",
    "Time from a request's first byte to the end of its answer",
    ["route"],
    BUCKETS,
  );
  const waiting = metrics.gauge("gateway_waiting_clients", "Clients that wait for a ranking", []);
  const bytes = metrics.gauge("gateway_body_bytes", "Bytes of bodies in memory", []);
  metrics.onScrape(() => {
    const { waitingClients, bodyBytes } = figures();
    waiting.set(waitingClients);
    bytes.set(bodyBytes);
  });
  return ({ route, status, tookMs }) => {
    requests.inc({ route, status: String(status) });
    seconds.observe({ route }, tookMs / 1_000);
  };
}
