import { z } from "zod";
import { health } from "../../answers/model.js";
import { jsonAnswer } from "../json-answer.js";
import type { Answer, Operation } from "../operation.js";

const OK = jsonAnswer(200, "The gateway is ready.", health, { status: "ok" });
const NOT_READY = jsonAnswer(503, "It is not, and says why.", health, {
  status: "Redis does not answer",
});

function plain(status: number, description: string, example: string): Answer {
  return {
    status,
    description,
    body: {
      type: "text/plain",
      schemas: [z.string()],
      examples: [{ summary: description, value: example }],
    },
  };
}

const OF_PROBES = { method: "get", group: "Probes", problems: [] } as const;

export const probeOperations: readonly Operation[] = [
  {
    ...OF_PROBES,
    path: "/health",
    id: "getHealth",
    summary: "Whether the gateway is ready, as vLLM's and TEI's clients ask",
    answers: [OK, NOT_READY],
  },
  {
    ...OF_PROBES,
    path: "/readyz",
    id: "getReady",
    summary: "The same, as Kubernetes asks",
    answers: [OK, NOT_READY],
  },
  {
    ...OF_PROBES,
    path: "/healthz",
    id: "getAlive",
    summary: "Whether the process is alive",
    answers: [plain(200, "It is alive.", "alive\n")],
  },
  {
    ...OF_PROBES,
    path: "/.well-known/live",
    id: "getWellKnownLive",
    summary: "The same, as Weaviate asks",
    answers: [{ status: 204, description: "It is alive." }],
  },
  {
    ...OF_PROBES,
    path: "/.well-known/ready",
    id: "getWellKnownReady",
    summary: "Whether the gateway is ready, as Weaviate asks",
    answers: [
      { status: 204, description: "It is ready." },
      { status: 503, description: "It is not." },
    ],
  },
  {
    ...OF_PROBES,
    path: "/metrics",
    id: "getMetrics",
    summary: "Figures for Prometheus",
    description:
      "On a port of its own, which `--metrics-port` opens, with `/healthz` and `/readyz` beside it.",
    server: { url: "http://localhost:9464", description: "The port of `--metrics-port`." },
    answers: [
      plain(
        200,
        "The figures, in Prometheus' text form.",
        'rankmill_gateway_requests_total{route="/v1/rerank",status="200"} 1\n',
      ),
    ],
  },
];
