/** Actions on a run: what each asks before it is done, and what it says afterwards. */
import { counted } from "../../src/core/counted.js";
import type { Run } from "../../src/app/runs/run.js";
import type { RunStatus } from "../../src/runs/run-status.js";
import { markup, type Markup } from "./markup.js";
import type { Links } from "./shell.js";

interface RunAction {
  readonly title: string;
  /** The question, by how the run stands. */
  readonly asks: (status: RunStatus) => string;
  readonly button: string;
  /** Whether something is lost by it. */
  readonly harms: boolean;
  /** Does it. @returns records that it concerned */
  readonly act: (run: Run) => Promise<number>;
}

export const RUN_ACTIONS: Readonly<Record<"retry" | "cancel" | "purge", RunAction>> = {
  retry: {
    title: "Retry",
    asks: ({ counts }) =>
      `${counted(counts.failed, "record")} without a ranking will be tried again. Rankings stay.`,
    button: "Try again",
    harms: false,
    act: async (run) => await run.retry(),
  },
  cancel: {
    title: "Cancel",
    asks: ({ waiting, active }) =>
      `${counted(waiting + active, "record")} will not be ranked. Rankings that there are stay, and a retry goes on.`,
    button: "Cancel the run",
    harms: true,
    act: async (run) => await run.cancel(),
  },
  purge: {
    title: "Purge",
    asks: ({ counts, over }) =>
      `${over ? "" : "The run is under way: it will be cancelled first. "}The run and its ${counted(counts.done, "ranking")} will be deleted. This cannot be undone.`,
    button: "Delete the run",
    harms: true,
    act: async (run) => {
      const { total } = await run.status();
      await run.purge({ force: true });
      return total;
    },
  },
};

export type ActionName = keyof typeof RUN_ACTIONS;

export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(RUN_ACTIONS, name);
}

export function confirmView(
  id: string,
  name: ActionName,
  status: RunStatus,
  token: string,
  links: Links,
): Markup {
  const { title, asks, button, harms } = RUN_ACTIONS[name];
  return markup`<section class="panel narrow"><h1>${title} ${id}?</h1>
<p>${asks(status)}</p>
<form method="post" action="${links.run(id, `/${name}`)}" class="actions"><input type="hidden" name="token" value="${token}">
<button class="${harms ? "harm" : "main"}">${button}</button><a class="button" href="${links.run(id)}">Back</a></form></section>`;
}

export function messageView(title: string, text: string, links: Links): Markup {
  return markup`<section class="panel narrow"><h1>${title}</h1><p>${text}</p><p class="actions"><a class="button" href="${links.list()}">All runs</a></p></section>`;
}

export function loginView(
  links: Links,
  { next, problem, secret }: { next: string; problem: string | undefined; secret: string },
): Markup {
  const said =
    problem === undefined ? "" : markup`<p class="told problem" role="alert">${problem}</p>`;
  return markup`<section class="panel narrow"><h1>Sign in</h1>${said}
<form method="post" action="${links.at("/login")}"><input type="hidden" name="next" value="${next}">
<label for="secret">${secret}</label><input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus>
<div class="actions"><button class="main">Sign in</button></div></form></section>`;
}
