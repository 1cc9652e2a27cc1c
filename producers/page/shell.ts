/** The frame of every page of runs. */
import { hash } from "node:crypto";
import { LIVE_SCRIPT } from "./live-script.js";
import { markup, type Markup } from "./markup.js";
import { PAGE_STYLE } from "./style.js";

/** A file that pages load from their own server. */
export interface PageFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

export const PAGE_FILES = {
  style: fileOf("style", "css", "text/css; charset=utf-8", PAGE_STYLE),
  script: fileOf("live", "js", "text/javascript; charset=utf-8", LIVE_SCRIPT),
} as const;

/** A name of its own per content: browsers may keep it. */
function fileOf(name: string, ending: string, type: string, text: string): PageFile {
  return { name: `${name}-${hash("sha256", text).slice(0, 12)}.${ending}`, type, text };
}

/** Allows what the pages load from their own server, and nothing inline. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** The addresses of the pages, below the path at which they are served. */
export class Links {
  readonly base: string;

  /** @param base empty, or a path without a slash at its end */
  constructor(base: string) {
    this.base = base;
  }

  /** The path of the list, above that of every other page. */
  get root(): string {
    return this.base === "" ? "/" : this.base;
  }

  list(after?: string): string {
    return `${this.root}${after === undefined ? "" : `?after=${encodeURIComponent(after)}`}`;
  }

  run(id: string, more = ""): string {
    return `${this.base}/runs/${encodeURIComponent(id)}${more}`;
  }

  at(path: string): string {
    return `${this.base}${path}`;
  }

  file({ name }: PageFile): string {
    return `${this.base}/page/${name}`;
  }
}

export interface Frame {
  readonly links: Links;
  readonly title: string;
  /** The entry of the navigation that the page belongs to. */
  readonly section?: "runs" | "workers";
  /** Whether there is a page of workers. */
  readonly hasWorkers: boolean;
  /** The address of Bull Board; undefined: there is none. */
  readonly queues: string | undefined;
  /** The token of a form that ends the session; undefined: there is none. */
  readonly signOut: string | undefined;
  readonly body: Markup;
}

export function pageOf(frame: Frame): string {
  const { links, title, section, hasWorkers, queues, signOut, body } = frame;
  const current = (name: Frame["section"]): Markup | string =>
    name === section ? markup` aria-current="page"` : "";
  const out =
    signOut === undefined
      ? ""
      : markup`<form method="post" action="${links.at("/logout")}"><input type="hidden" name="token" value="${signOut}"><button>Sign out</button></form>`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · rankmill</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${links.file(PAGE_FILES.style)}">
<script src="${links.file(PAGE_FILES.script)}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><a class="brand" href="${links.list()}">rankmill</a>
<nav aria-label="Pages"><a href="${links.list()}"${current("runs")}>Runs</a>${hasWorkers ? markup`<a href="${links.at("/workers")}"${current("workers")}>Workers</a>` : ""}${queues === undefined ? "" : markup`<a href="${queues}">Queues</a>`}</nav>
${out}</header>
<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>
`.text;
}
