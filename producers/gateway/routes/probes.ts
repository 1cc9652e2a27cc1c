/** The routes of probes, which ask for no key and tell nothing of what is served. */
import type { RouteModule } from "../env.js";

export const probeRoutes: RouteModule = (app, { gateway, stopping }) => {
  app.get("/healthz", (context) => context.text("alive\n"));
  app.get("/.well-known/live", (context) => context.body(null, 204));
  const ready = async (): Promise<string | undefined> => {
    if (stopping.aborted) return "stopping";
    return await gateway.models.list().then(
      () => undefined,
      () => "Redis does not answer",
    );
  };
  for (const path of ["/health", "/readyz"]) {
    app.get(path, async (context) => {
      const reason = await ready();
      return context.json({ status: reason ?? "ok" }, reason === undefined ? 200 : 503);
    });
  }
  app.get("/.well-known/ready", async (context) =>
    context.body(null, (await ready()) === undefined ? 204 : 503),
  );
};
