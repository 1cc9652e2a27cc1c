/** The pages of `rankmill dashboard` for runs: a real run, watched and ended in a real browser. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults } from "../support/axe.js";
import { Chromium } from "../support/chromium.js";
import { SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { chromium, given, realRedis } from "../support/needs.js";
import { until } from "../support/until.js";

const PASSWORD = "the miller's";
const AUTHORIZATION = { authorization: `Basic ${btoa(`miller:${PASSWORD}`)}` };
const SECRET = "a line that nobody should read";

const fleet = useFleet({ shared: "everything" });
let run = "";

async function openPages(...more: string[]): Promise<string> {
  const running = fleet.bench.start(["dashboard", "--dashboard-port", "0", ...more], {
    env: { RANKMILL_DASHBOARD_PASSWORD: PASSWORD },
  });
  await running.says("serving dashboard");
  const line = running.stdout.split("\n").find((one) => one.includes("serving dashboard"));
  return `http://127.0.0.1:${(JSON.parse(line ?? "") as { port: number }).port}`;
}

const read = async (url: string): Promise<string> =>
  await (await fetch(url, { headers: AUTHORIZATION })).text();

describe("the pages for runs", given(realRedis), () => {
  let acting = "";
  let first = "";

  beforeAll(async () => {
    first = readFileSync(SAMPLE, "utf8").split("\n")[0] ?? "";
    writeFileSync(fleet.bench.path("in.jsonl"), `${readFileSync(SAMPLE, "utf8")}${SECRET}\n`);
    await fleet.worker();
    fleet.gate.hold();
    run = await fleet.submit("in.jsonl");
    acting = await openPages("--allow-actions", "--show-texts");
  });

  describe("without a script", () => {
    it("show the run, its worker's memory and its failures, and hide texts", async () => {
      const reading = await openPages();
      await until("the worker is announced", async () =>
        (await read(`${reading}/workers`)).includes("model "),
      );
      expect(await read(`${reading}/`)).toContain(`href="/runs/${run}"`);
      const page = await read(`${reading}/runs/${run}`);
      for (const part of ["of 55 records", "invalid_json", "line 55", "builtin-bm25"]) {
        expect(page).toContain(part);
      }
      expect(page).not.toContain(SECRET.slice(0, 10));
      expect(page).not.toContain(`/runs/${run}/purge`);
      expect(await read(`${acting}/runs/${run}`)).toContain(SECRET);
    });

    it("change nothing without the token of their form, nor in a dashboard that is read only", async () => {
      const send = async (of: string, token: string): Promise<number> => {
        const body = new URLSearchParams({ token });
        const init = { method: "POST", body, headers: AUTHORIZATION };
        return (await fetch(`${of}/runs/${run}/cancel`, { ...init, redirect: "manual" })).status;
      };
      expect(await send(acting, "made-up")).toBe(403);
      expect(await send(acting, "")).toBe(403);
      expect(await read(`${acting}/runs/${run}`)).not.toContain("state cancelled");
      expect((await fetch(`${acting}/runs/no-such-run`, { headers: AUTHORIZATION })).status).toBe(
        404,
      );
    });
  });

  describe("in a browser", given(chromium), () => {
    let browser: Chromium;

    beforeAll(async () => {
      browser = await Chromium.start();
    });

    afterAll(async () => {
      await browser.close();
    });

    const isAccessible = async (): Promise<void> => {
      for (const [width, dark] of [
        [1_100, false],
        [390, true],
      ] as const) {
        await browser.show({ width, height: 800, dark });
        expect(await accessibilityFaults(browser)).toEqual([]);
        expect(await browser.evaluate("document.documentElement.scrollWidth")).toBe(width);
      }
    };

    it("ask for the password once, and go on to the page that was wanted", async () => {
      await browser.open(`${acting}/runs/${run}`);
      await isAccessible();
      await browser.evaluate(
        `document.querySelector("#secret").value = ${JSON.stringify(PASSWORD)}`,
      );
      await browser.press("button.main");
      expect(await browser.evaluate("location.pathname")).toBe(`/runs/${run}`);
      expect(await browser.evaluate("document.cookie")).toBe("");
    });

    it("move with the run as it goes, and stand still at its end", async () => {
      await browser.open(`${acting}/runs/${run}`);
      await browser.evaluate("window.loadedOnce = true");
      const shown = async (): Promise<string> => await browser.text("#standing");
      await fleet.gate.stepUntil("the page shows that the run has moved", async () =>
        /([2-9]|\d\d) of 55 records/.test(await shown()),
      );
      expect(await shown()).toContain("running");
      fleet.gate.release();
      await browser.untilPage(
        "the page shows the end of the run",
        `document.querySelector("#standing").innerText.includes("complete")`,
      );
      expect(await browser.evaluate("window.loadedOnce")).toBe(true);
      expect(await shown()).toContain("55 of 55 records");
      const { query } = JSON.parse(first) as { query: string };
      expect(await browser.text("#rankings")).toContain(query);
      expect(await browser.text("#scores")).toMatch(/scores, most of them from/);
      expect(await browser.text("#failures")).toContain("1 invalid_json");
      await isAccessible();
      expect(browser.errors).toEqual([]);
    });

    it("list runs and workers, and can be used with the keyboard alone", async () => {
      await browser.open(`${acting}/workers`);
      await isAccessible();
      await browser.open(`${acting}/`);
      await isAccessible();
      expect(await browser.text(`#progress-${run}`)).toContain("55 of 55 records · 1 failed");
      await browser.type("Tab");
      expect(await browser.evaluate("document.activeElement.className")).toBe("skip");
      for (let i = 0; i < 10; i += 1) {
        await browser.type("Tab");
        if ((await browser.evaluate("document.activeElement.innerText")) === run) break;
      }
      await browser.evaluate("window.before = true");
      await browser.type("Enter");
      await browser.untilPage(
        "the page of the run is read",
        `location.pathname === "/runs/${run}"`,
      );
    });

    it("ask before they delete a run, and delete it", async () => {
      await browser.open(`${acting}/runs/${run}`);
      await browser.press(`a[href="/runs/${run}/purge"]`);
      expect(await browser.text("main")).toContain("54 rankings will be deleted");
      await isAccessible();
      await browser.press("button.harm");
      expect(await browser.text("main")).toContain("No run has been submitted yet");
      expect(await fleet.redis.exists(`rankmill:{run:${run}}:history`)).toBe(0);
    });

    it("let a viewer sign out", async () => {
      await browser.press("header form button");
      expect(await browser.text("main")).toContain("Sign in");
      await browser.open(`${acting}/`);
      expect(await browser.text("main")).toContain("Sign in");
    });
  });
});
