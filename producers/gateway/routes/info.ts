/** What TEI's and Weaviate's clients ask before they send anything: about the model of requests that name none. */
import { numbersName } from "../../../src/core/forms/numbers.js";
import { packageVersion } from "../../../src/platform/package-root.js";
import type { TeiInfo, WeaviateMeta } from "../answers/model.js";
import type { RouteModule } from "../env.js";

export const infoRoutes: RouteModule = (app, { gateway }) => {
  app.get("/info", async (context) => {
    const { model } = await gateway.models.find(undefined);
    const info: TeiInfo = {
      model_id: model.name,
      model_sha: model.revision,
      model_dtype: numbersName(model),
      model_type: { reranker: { id2label: { "0": "LABEL_0" }, label2id: { LABEL_0: 0 } } },
      max_input_length: model.maxLength.default,
      max_client_batch_size: gateway.maxListDocuments,
      max_batch_tokens: model.maxLength.highest,
      max_concurrent_requests: null,
      auto_truncate: true,
      version: packageVersion(),
    };
    return context.json(info);
  });
  app.get("/meta", async (context) => {
    const { model } = await gateway.models.find(undefined);
    const meta: WeaviateMeta = {
      model: model.name,
      revision: model.revision,
      type: "rankmill",
    };
    return context.json(meta);
  });
};
