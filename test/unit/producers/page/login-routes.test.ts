import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { addLoginRoutes, ownPath, sessionOf } from "../../../../producers/page/login-routes.js";
import { Sessions } from "../../../../producers/page/sessions.js";
import { Links } from "../../../../producers/page/shell.js";

function makeApp(isFromOwnPage = true): { app: Hono; sessions: Sessions<string> } {
  const app = new Hono();
  const sessions = new Sessions<string>(Date.now);
  addLoginRoutes(app, {
    links: new Links(""),
    sessions,
    secret: "Password",
    isFromOwnPage: () => isFromOwnPage,
    signIn: (_, secret) =>
      secret === "right"
        ? { status: "in", holder: "miller" }
        : { status: "refused", code: 401, reason: "This is not the password." },
  });
  app.get("/who", (context) => context.text(sessionOf(context, sessions)?.holder ?? "nobody"));
  return { app, sessions };
}

const post = (
  app: Hono,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Response | Promise<Response> =>
  app.request(path, { method: "POST", body: new URLSearchParams(fields), headers });

describe("signing in with a browser", () => {
  it("gives a cookie that no script reads and no other site sends, and goes on to the page", async () => {
    const { app } = makeApp();
    const answer = await post(app, "/login", { secret: "right", next: "/runs/a?after=b" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/runs/a?after=b"]);
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(cookie).not.toMatch(/Secure/);
    const headers = { cookie: cookie.split(";")[0] ?? "" };
    expect(await (await app.request("/who", { headers })).text()).toBe("miller");
  });

  it.each([[{ "x-forwarded-proto": "https" }], [{ origin: "https://mill.example" }]])(
    "gives a cookie for TLS alone behind it (%o)",
    async (headers) => {
      const answer = await post(makeApp().app, "/login", { secret: "right" }, headers);
      expect(answer.headers.get("set-cookie")).toMatch(/Secure/);
    },
  );

  it("gives nothing for a wrong password, or to the page of another site", async () => {
    const wrong = await post(makeApp().app, "/login", { secret: "wrong", next: "/workers" });
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
    expect(await wrong.text()).toContain('value="/workers"');
    const elsewhere = await post(makeApp(false).app, "/login", { secret: "right" });
    expect([elsewhere.status, elsewhere.headers.get("set-cookie")]).toEqual([403, null]);
  });

  it("ends with the form that carries its token, and with no other", async () => {
    const { app, sessions } = makeApp();
    const token = sessions.open("miller");
    const headers = { cookie: `rankmill-session=${token}` };
    await post(app, "/logout", { token: "made-up" }, headers);
    expect(sessions.find(token)).toBe("miller");
    await post(app, "/logout", { token: sessions.formToken(token) }, headers);
    expect(sessions.find(token)).toBeUndefined();
  });

  it("leads to no other site afterwards", () => {
    const own = new Links("/ui");
    for (const path of ["/ui", "/ui?after=b", "/ui/runs/a?x=1"]) {
      expect(ownPath(path, own)).toBe(path);
    }
    expect(ownPath("/uix", own)).toBe("/ui");
    for (const path of ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a b"]) {
      expect(ownPath(path, new Links(""))).toBe("/");
      expect(ownPath(path, own)).toBe("/ui");
    }
  });
});
