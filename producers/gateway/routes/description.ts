/** The description of the API, for programs and for people. */
import { DESCRIPTION_PATHS } from "../authentication.js";
import { renderDocs, type Page } from "../docs-page/page.js";
import type { RouteModule } from "../env.js";
import { openApiDocument } from "../openapi/document.js";

interface Described {
  readonly json: string;
  readonly page: Page;
}

export const descriptionRoutes: RouteModule = (app) => {
  let made: Described | undefined;
  // Made when somebody asks for the first time: most gateways are never asked.
  const described = (): Described => (made ??= describe());
  app.get(DESCRIPTION_PATHS.document, (context) =>
    context.body(described().json, 200, { "Content-Type": "application/json" }),
  );
  app.get(DESCRIPTION_PATHS.page, (context) => {
    const { html, policy } = described().page;
    context.header("Content-Security-Policy", policy);
    return context.html(html);
  });
};

function describe(): Described {
  const document = openApiDocument();
  return { json: JSON.stringify(document), page: renderDocs(document) };
}
