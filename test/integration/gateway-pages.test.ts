/** The pages for runs at the gateway: each key sees its own, in a real browser. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults } from "../support/axe.js";
import { Chromium } from "../support/chromium.js";
import { BUILTIN, SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { chromium, given, realRedis } from "../support/needs.js";
import { addTenant, type Tenant } from "../support/tenant.js";
import { until } from "../support/until.js";

const SECRET = "a line that nobody should read";
const PAGES = "/dashboard";

type BrowseInit = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

describe("the pages at the gateway", given(realRedis), () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;
  let owner: Tenant;
  let run = "";

  const browse = async (key: Tenant, path: string, init: BrowseInit = {}): Promise<Response> =>
    await fetch(gateway.url + path, {
      redirect: "manual",
      ...init,
      headers: { authorization: key.authorization, accept: "text/html", ...init.headers },
    });

  beforeAll(async () => {
    const spool = fleet.bench.path("spool");
    await fleet.worker();
    fleet.bench.start(["runner", "--spool", spool]);
    gateway = await startGateway(fleet, `--spool ${spool}`);
    owner = await addTenant(fleet, gateway, { scopes: ["runs"] });
    await until("a key is asked for", async () => {
      return (await fetch(`${gateway.url}/v1/models`)).status === 401;
    });
    fleet.gate.hold();
    const body = `${readFileSync(SAMPLE, "utf8")}${SECRET}\n`;
    const { id } = await owner.json(202, "POST", `/v1/runs?model=${BUILTIN}`, body);
    run = String(id);
  });

  it("ask for a key, and send a browser to the form that takes it", async () => {
    const asked = await fetch(`${gateway.url}${PAGES}/runs/${run}`);
    expect([asked.status, await asked.text()]).toEqual([
      401,
      expect.stringContaining("API key is needed"),
    ]);
    const headers = { accept: "text/html" };
    const sent = await fetch(`${gateway.url}${PAGES}?after=x`, { headers, redirect: "manual" });
    expect(sent.headers.get("location")).toBe(`${PAGES}/login?next=%2Fdashboard%3Fafter%3Dx`);
    const form = await fetch(`${gateway.url}${PAGES}/login`);
    expect(form.headers.get("content-security-policy")).toContain("default-src 'none'");
    const ranks = await addTenant(fleet, gateway, { scopes: ["rerank"] });
    expect((await browse(ranks, PAGES)).status).toBe(403);
    for (const key of [ranks.token, "made-up"]) {
      const init = { method: "POST", body: new URLSearchParams({ secret: key }) };
      const refused = await fetch(`${gateway.url}${PAGES}/login`, init);
      expect([401, 403]).toContain(refused.status);
      expect(refused.headers.get("set-cookie")).toBeNull();
    }
  });

  it("show a key its own runs, without texts, hosts or processes, and no run of another's", async () => {
    await until("the run has a runner", async () => {
      return (await (await browse(owner, `${PAGES}/runs/${run}`)).text()).includes("invalid_json");
    });
    const page = await (await browse(owner, `${PAGES}/runs/${run}`)).text();
    for (const part of ["of 55 records", "a spool", "1 worker with 1 lane"]) {
      expect(page).toContain(part);
    }
    expect(page).not.toContain(SECRET.slice(0, 10));
    expect(page).not.toMatch(/Runner<|Workers<\/a>/);
    expect((await browse(owner, `${PAGES}/workers`)).status).toBe(404);
    expect(await (await browse(owner, PAGES)).text()).toContain(`${PAGES}/runs/${run}"`);
    const other = await addTenant(fleet, gateway);
    for (const path of ["", "/events", "/purge"]) {
      expect((await browse(other, `${PAGES}/runs/${run}${path}`)).status).toBe(404);
    }
    expect(await (await browse(other, PAGES)).text()).toContain("POST /v1/runs");
  });

  it("show an admin every run, also those in Redis, and the workers", async () => {
    const inRedis = await fleet.submit(SAMPLE);
    const admin = await addTenant(fleet, gateway, { scopes: ["admin"] });
    const list = await (await browse(admin, PAGES)).text();
    expect(list).toContain(`${PAGES}/runs/${run}"`);
    expect(list).toContain(`${PAGES}/runs/${inRedis}"`);
    expect((await browse(admin, `${PAGES}/runs/${inRedis}`)).status).toBe(200);
    expect(await (await browse(admin, `${PAGES}/workers`)).text()).toContain(BUILTIN);
    expect(await (await browse(owner, PAGES)).text()).not.toContain(inRedis);
  });

  it("let nobody act who may only look, nor a form without its token, nor another site", async () => {
    const cancel = async (key: Tenant, headers = {}): Promise<number> => {
      const body = new URLSearchParams({ token: "made-up" });
      const init = { method: "POST", body, headers };
      return (await browse(key, `${PAGES}/runs/${run}/cancel`, init)).status;
    };
    const [token] =
      /name="token" value="[^"]+"/.exec(
        await (await browse(owner, `${PAGES}/runs/${run}/cancel`)).text(),
      ) ?? [];
    expect(token).toBeDefined();
    expect(await cancel(owner)).toBe(403);
    expect(await cancel(owner, { origin: "http://evil.example" })).toBe(403);
    const { state } = await owner.json(200, "GET", `/v1/runs/${run}`);
    expect(state).toBe("submitted");
  });

  describe("in a browser", given(chromium), () => {
    let browser: Chromium;

    beforeAll(async () => {
      browser = await Chromium.start();
    });

    afterAll(async () => {
      await browser.close();
    });

    const signIn = async (key: Tenant): Promise<void> => {
      await browser.evaluate(`document.querySelector("#secret").value = "${key.token}"`);
      await browser.press("button.main");
    };

    const isAccessible = async (): Promise<void> => {
      for (const dark of [false, true]) {
        await browser.show({ width: 1_100, height: 800, dark });
        expect(await accessibilityFaults(browser)).toEqual([]);
      }
    };

    it("take a key once, move with the run, and cancel it", async () => {
      await browser.open(`${gateway.url}${PAGES}/runs/${run}`);
      await isAccessible();
      await signIn(owner);
      expect(await browser.evaluate("location.pathname")).toBe(`${PAGES}/runs/${run}`);
      expect(await browser.evaluate("document.cookie")).toBe("");
      await browser.untilPage(
        "the page is live",
        `document.querySelector("#live-state").innerText === "Live"`,
      );
      await fleet.gate.stepUntil("the page shows that the run has moved", async () =>
        /([2-9]|\d\d) of 55 records/.test(await browser.text("#standing")),
      );
      await isAccessible();
      await browser.press(`a[href="${PAGES}/runs/${run}/cancel"]`);
      await browser.press("button.harm");
      expect(await browser.text("main")).toContain("Stopped:");
      expect((await owner.json(200, "GET", `/v1/runs/${run}`))["state"]).toBe("cancelled");
      await browser.open(`${gateway.url}${PAGES}`);
      await isAccessible();
      expect(await browser.text("main")).toContain("cancelled");
      expect(browser.errors).toEqual([]);
    });

    it("show no button to a key that may only look, and no run that is another's", async () => {
      const reader = await addTenant(fleet, gateway, { scopes: ["read"] });
      await browser.press("header form button");
      await signIn(reader);
      expect(await browser.evaluate("location.pathname")).toBe(PAGES);
      expect(await browser.text("main")).toContain("No run has been submitted yet");
      await browser.open(`${gateway.url}${PAGES}/runs/${run}`);
      expect(await browser.text("main")).toContain("There is no such run");
    });

    it("end the session of a key that is revoked", async () => {
      const passing = await addTenant(fleet, gateway);
      await browser.open(`${gateway.url}${PAGES}`);
      await browser.press("header form button");
      await signIn(passing);
      expect(await browser.text("h1")).toBe("Runs");
      await fleet.run(["keys", "revoke", passing.keyId]);
      await until("the key is asked for again", async () => {
        await browser.open(`${gateway.url}${PAGES}`);
        return (await browser.text("main")).includes("Sign in");
      });
    });
  });
});
