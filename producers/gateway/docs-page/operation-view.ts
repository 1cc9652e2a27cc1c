/** An operation of the API as a part of the page. */
import { markup, phrase, prose, type Markup } from "../../page/markup.js";
import {
  refName,
  type ShownContent,
  type ShownDocument,
  type ShownOperation,
} from "./read-document.js";
import { typeOf } from "./schema-view.js";

export interface PlacedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: ShownOperation;
}

type Components = ShownDocument["components"];

export function operationView(
  { method, path, operation }: PlacedOperation,
  components: Components,
): Markup {
  const { operationId, summary, description, servers, security } = operation;
  return markup`<details class="operation" id="${operationId}">
<summary><span class="method ${method}">${method.toUpperCase()}</span> <code class="path">${path}</code> <span class="about">${phrase(summary)}</span></summary>
<div class="inside">
${prose(description ?? "")}
${servers.map(({ url, description }) => markup`<p>Server: <code>${url}</code>. ${description}</p>`)}
<p>${keyLine(security)}</p>
${parametersView(operation, components)}
${bodyView(operation)}
${samplesView(operation)}
${answersView(operation, components)}
</div></details>`;
}

function keyLine(security: ShownOperation["security"]): Markup {
  if (security.length === 0) return markup`Key: none.`;
  const scopes = [...new Set(security.flatMap((one) => Object.values(one).flat()))];
  if (scopes.length === 0) return markup`Key: any.`;
  const names = scopes.map((scope, place) =>
    place === 0 ? markup`<code>${scope}</code>` : markup` or <code>${scope}</code>`,
  );
  return markup`Key: one with the right ${names}.`;
}

function parametersView({ parameters }: ShownOperation, components: Components): Markup {
  const found = parameters.flatMap((one) =>
    "$ref" in one ? (components.parameters[refName(one.$ref)] ?? []) : one,
  );
  const rows = found.map(
    (
      one,
    ) => markup`<tr><th scope="row"><code>${one.name}</code>${one.required ? markup` <em>required</em>` : ""}</th>
<td>${one.in}</td><td>${typeOf(one.schema)}</td><td>${phrase(one.description ?? "")}</td></tr>`,
  );
  return markup`<h4>Parameters</h4><div class="wide"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Place</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function bodyView({ requestBody }: ShownOperation): Markup {
  if (requestBody === undefined) return markup``;
  return markup`<h4>Body</h4>${typesOf(requestBody.content)}`;
}

function typesOf(content: ShownContent): Markup[] {
  return Object.entries(content).map(
    ([type, { schema }]) => markup`<p><code>${type}</code>: ${typeOf(schema)}</p>`,
  );
}

function samplesView(operation: ShownOperation): Markup {
  const samples = operation["x-codeSamples"].map(({ label, source }) =>
    codeView(label, source, "request"),
  );
  return markup`<h4>Examples</h4>${samples}`;
}

function answersView({ responses }: ShownOperation, components: Components): Markup {
  const all = Object.entries(responses).flatMap(([status, one]) => {
    const answer = "$ref" in one ? components.responses[refName(one.$ref)] : one;
    return answer === undefined ? [] : [{ status, ...answer }];
  });
  const good = all.filter(({ status }) => status.startsWith("2"));
  const rows = all.map(
    ({ status, description, headers }) => markup`<tr><th scope="row">${status}</th>
<td>${phrase(description)}</td><td>${Object.keys(headers).map((name) => markup`<code>${name}</code> `)}</td></tr>`,
  );
  return markup`<h4>Answers</h4><div class="wide"><table>
<thead><tr><th scope="col">Status</th><th scope="col">Meaning</th><th scope="col">Headers</th></tr></thead>
<tbody>${rows}</tbody></table></div>
${good.flatMap(({ status, content }) => exampleAnswers(status, content))}`;
}

function exampleAnswers(status: string, content: ShownContent): Markup[] {
  return Object.entries(content).flatMap(([type, { schema, examples }]) => [
    markup`<p>${status}: <code>${type}</code>: ${typeOf(schema)}</p>`,
    ...Object.values(examples).map(({ summary, value }) =>
      codeView(
        summary,
        typeof value === "string" ? value.trimEnd() : JSON.stringify(value, null, 2),
        "answer",
      ),
    ),
  ]);
}

function codeView(caption: string, text: string, kind: "request" | "answer"): Markup {
  const button = kind === "request" ? markup`<button type="button" hidden>Copy</button>` : "";
  return markup`<figure class="${kind}"><figcaption><span>${phrase(caption)}</span> ${button}</figcaption>
<pre tabindex="0"><code>${text}</code></pre></figure>`;
}
