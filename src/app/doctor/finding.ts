import type { Wording } from "../../core/wording.js";

/** The levels, from harmless to harmful. */
export const LEVELS = ["ok", "note", "warning", "problem"] as const;
/**
 * `note`: worth knowing, nothing is wrong. `warning`: it works, and will cost speed or safety.
 * `problem`: work fails or is lost.
 */
export type Level = (typeof LEVELS)[number];

/** A text in which options are named as data, so that each caller names them in its own way. */
export type Text = string | Wording;

export interface Said {
  readonly level: Level;
  /** The fact, with its figures. */
  readonly said: Text;
  /** Advice; absent if there is nothing to do. */
  readonly remedy?: Text;
}

export interface Finding extends Said {
  /** Name of the check that found it. */
  readonly check: string;
}

export function ok(said: Text): Said {
  return { level: "ok", said };
}

export function note(said: Text, remedy: Text): Said {
  return { level: "note", said, remedy };
}

export function warning(said: Text, remedy: Text): Said {
  return { level: "warning", said, remedy };
}

export function problem(said: Text, remedy: Text): Said {
  return { level: "problem", said, remedy };
}

/** The worst level of `findings`; `ok` if there are none. */
export function worstOf(findings: readonly Said[]): Level {
  const ranks = findings.map(({ level }) => LEVELS.indexOf(level));
  return LEVELS[Math.max(0, ...ranks)] ?? "ok";
}
