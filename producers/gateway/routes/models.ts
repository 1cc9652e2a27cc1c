/** The models that are served, as OpenAI's clients list them. */
import type { ModelList } from "../answers/model.js";
import type { RouteModule } from "../env.js";

export const modelRoutes: RouteModule = (app, { gateway }) => {
  app.get("/v1/models", async (context) => {
    const models = await gateway.models.list();
    const data = await Promise.all(
      models.map(async (one): Promise<ModelList["data"][number]> => ({
        id: await gateway.models.idOf(one),
        object: "model",
        owned_by: "rankmill",
        created: createdOf(one.workers.map(({ startedAt }) => startedAt)),
      })),
    );
    return context.json({ object: "list", data } satisfies ModelList);
  });
};

/** Seconds since 1970 at which the first of the workers started. */
function createdOf(startedAt: readonly string[]): number {
  return Math.floor(Math.min(...startedAt.map((time) => Date.parse(time))) / 1_000);
}
