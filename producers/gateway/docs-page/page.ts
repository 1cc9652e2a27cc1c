/** The description of the API as a page that needs nothing from elsewhere, and works without its script. */
import { hash } from "node:crypto";
import { DESCRIPTION_PATHS } from "../authentication.js";
import { SCRIPT, STYLE } from "./assets.js";
import { Markup, markup, phrase, prose } from "../../page/markup.js";
import { operationView, type PlacedOperation } from "./operation-view.js";
import { readDocument, type ShownDocument } from "./read-document.js";
import { fieldsTable, schemaAnchor } from "./schema-view.js";

export interface Page {
  readonly html: string;
  /** What a browser may use of it, for `Content-Security-Policy`. */
  readonly policy: string;
}

export function renderDocs(document: unknown): Page {
  const shown = readDocument(document);
  const { info, servers, components } = shown;
  const groups = groupsOf(shown);
  const html = markup`<!doctype html>
<html lang="en" data-server="${servers[0].url}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: HTTP API</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#operations">Skip to the routes</a>
<header><h1>${info.title}: HTTP API <small>${info.version}</small></h1>
${prose(info.description)}
<p>For programs: <a href="${DESCRIPTION_PATHS.document}">${DESCRIPTION_PATHS.document}</a> (OpenAPI 3.1). The examples take a key from <code>RANKMILL_API_KEY</code>.</p></header>
<div class="frame">
<nav aria-label="Routes">${groups.map(navView)}</nav>
<main id="operations" tabindex="-1">
${groups.map(({ name, description, operations }) => markup`<h2>${name}</h2>${prose(description)}${operations.map((one) => operationView(one, components))}`)}
<h2>Schemas</h2>
${Object.entries(components.schemas).map(schemaView)}
</main>
</div>
<p id="told" role="status" class="skip"></p>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`;
  return { html: html.text, policy: POLICY };
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly PlacedOperation[];
}

function groupsOf({ tags, paths }: ShownDocument): Group[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  return tags.map(({ name, description }) => ({
    name,
    description,
    operations: all.filter(({ operation }) => operation.tags[0] === name),
  }));
}

function navView({ name, operations }: Group): Markup {
  const links = operations.map(
    ({ method, path, operation }) =>
      markup`<li><a href="#${operation.operationId}"><span class="method ${method}">${method.toUpperCase()}</span> ${path}</a></li>`,
  );
  return markup`<details open><summary>${name}</summary><ul>${links}</ul></details>`;
}

function schemaView([name, schema]: readonly [string, Readonly<Record<string, unknown>>]): Markup {
  const { description } = schema;
  return markup`<details class="schema" id="${schemaAnchor(name)}"><summary><code>${name}</code></summary>
<div class="inside"><p>${phrase(typeof description === "string" ? description : "")}</p>${fieldsTable(schema)}</div></details>`;
}

const POLICY = [
  "default-src 'none'",
  `style-src ${sourceOf(STYLE)}`,
  `script-src ${sourceOf(SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function sourceOf(text: string): string {
  return `'sha256-${hash("sha256", text, "base64")}'`;
}
