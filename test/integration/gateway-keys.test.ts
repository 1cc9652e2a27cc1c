/** `rankmill serve` with keys: who may come in, and how often. */
import { beforeAll, describe, expect, it } from "vitest";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { addTenant } from "../support/tenant.js";
import { until } from "../support/until.js";

const BODY = { model: "builtin-bm25", query: "mill", documents: ["a river", "the mill"] };
const ENVIRONMENT_TOKEN = "a-token-of-the-operator-0123456789";

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Sends a wrong key as a proxy does that was asked from `address`. @returns the answer's status */
async function guessFrom(gateway: TestGateway, address: string): Promise<number> {
  const headers = { ...bearer("rk_wrong"), "x-forwarded-for": `198.51.100.7, ${address}` };
  return (await gateway.post("/v1/rerank", BODY, headers)).status;
}

describe("the gateway with keys", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;

  beforeAll(async () => {
    await fleet.worker("--lanes 1");
    const env = { RANKMILL_API_KEY: ENVIRONMENT_TOKEN };
    gateway = await startGateway(fleet, "--trust-forwarded", { env });
  });

  it("asks for a key, but not the probes", async () => {
    const refused = await gateway.post("/v1/rerank", BODY);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    expect(await refused.text()).toContain("an API key is needed");
    for (const path of ["/health", "/readyz", "/healthz"]) {
      expect((await fetch(gateway.url + path)).status).toBe(200);
    }
  });

  it("takes a key in every header that clients use, and that of the environment", async () => {
    const { token } = await addTenant(fleet, gateway);
    const ways = [
      bearer(token),
      { authorization: token },
      { "x-api-key": token },
      { "api-key": token },
      bearer(ENVIRONMENT_TOKEN),
    ];
    for (const headers of ways) {
      expect((await gateway.post("/v1/rerank", BODY, headers)).status).toBe(200);
    }
  });

  it("refuses a key that was revoked, within seconds", async () => {
    const { keyId, token } = await addTenant(fleet, gateway);
    expect((await gateway.post("/v1/rerank", BODY, bearer(token))).status).toBe(200);
    await fleet.run(["keys", "revoke", keyId]);
    await until("the key is refused", async () => {
      return (await gateway.post("/v1/rerank", BODY, bearer(token))).status === 401;
    });
  });

  it("refuses what the key has no right to", async () => {
    const { token } = await addTenant(fleet, gateway, { scopes: ["read"] });
    const refused = await gateway.post("/v1/rerank", BODY, bearer(token));
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("lacks the right rerank");
  });

  it("holds a key to its requests per minute and its pairs in flight", async () => {
    const small = await addTenant(fleet, gateway, { limits: { pairsInFlight: 2 } });
    const large = { ...BODY, documents: ["a", "b", "c"] };
    const refused = await gateway.post("/v1/rerank", large, bearer(small.token));
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("the key allows 2 in flight");
    const rare = await addTenant(fleet, gateway, { limits: { requestsPerMinute: 1 } });
    expect((await gateway.post("/v1/rerank", BODY, bearer(rare.token))).status).toBe(200);
    const late = await gateway.post("/v1/rerank", BODY, bearer(rare.token));
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("slows down whoever guesses, but not those who were let in a moment ago", async () => {
    const { token } = await addTenant(fleet, gateway);
    await until("guesses are slowed", async () => {
      expect((await gateway.post("/v1/rerank", BODY, bearer(token))).status).toBe(200);
      const wrong = await Promise.all(
        Array.from({ length: 6 }, () => gateway.post("/v1/rerank", BODY, bearer("rk_wrong"))),
      );
      return wrong.some(({ status }) => status === 429);
    });
    expect((await gateway.post("/v1/rerank", BODY, bearer(token))).status).toBe(200);
  });

  it("slows down each address by itself that a trusted proxy names last", async () => {
    await until("guesses are slowed", async () => {
      const wrong = await Promise.all(
        Array.from({ length: 6 }, () => guessFrom(gateway, "192.0.2.1")),
      );
      return wrong.includes(429);
    });
    expect(await guessFrom(gateway, "192.0.2.2")).toBe(401);
  });
});

describe("the gateway without keys", () => {
  const fleet = useFleet();

  it("refuses every request where others can reach it, until a key is added, and says 503 while Redis is away", async () => {
    const gateway = await startGateway(fleet, "--host 0.0.0.0");
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
    const { stdout } = await fleet.run(["keys", "add", "a user"]);
    const headers = { "x-api-key": stdout.trim() };
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(200);
    fleet.server.freeze();
    try {
      await until("the gateway says so", async () => {
        return (await fetch(`${gateway.url}/v1/models`, { headers })).status === 503;
      });
    } finally {
      fleet.server.thaw();
    }
  });
});
