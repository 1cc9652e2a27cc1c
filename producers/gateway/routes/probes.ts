/** The routes of probes, which ask for no key and tell nothing of what is served. */
import type { Health } from "../answers/model.js";
import type { RouteModule } from "../env.js";
import { unreadiness } from "../readiness.js";

export const probeRoutes: RouteModule = (app, { gateway, stopping }) => {
  app.get("/healthz", (context) => context.text("alive\n"));
  app.get("/.well-known/live", (context) => context.body(null, 204));
  const ready = (): Promise<string | undefined> => unreadiness(gateway, stopping);
  for (const path of ["/health", "/readyz"]) {
    app.get(path, async (context) => {
      const reason = await ready();
      const health: Health = { status: reason ?? "ok" };
      return context.json(health, reason === undefined ? 200 : 503);
    });
  }
  app.get("/.well-known/ready", async (context) =>
    context.body(null, (await ready()) === undefined ? 204 : 503),
  );
};
