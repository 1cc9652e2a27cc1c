/** Checks for callers without types, who may give whatever they like. */
import { DEFAULT_LIMITS, type Limits } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { ModelKey } from "../../core/job.js";
import { PRIORITIES, type Priority } from "../../core/priority.js";

/** @throws RankmillError `invalid_field`: a queue of another name has no worker */
export function checkPriority(priority: Priority | undefined): void {
  if (priority === undefined || PRIORITIES.some((one) => one === priority)) return;
  throw invalid("priority", `is ${shown(priority)}, not one of ${PRIORITIES.join(", ")}`);
}

/** @throws RankmillError `invalid_field` */
export function checkModel(model: string | ModelKey): void {
  if (typeof model === "string" && model !== "") return;
  const parts: readonly string[] = ["name", "revision", "precision"];
  const given: Readonly<Record<string, unknown>> =
    typeof model === "object" && model !== null ? { ...model } : {};
  const isWord = (part: string): boolean => typeof given[part] === "string" && given[part] !== "";
  if (parts.every(isWord) && (given["form"] === undefined || isWord("form"))) return;
  throw invalid(
    "model",
    `is ${shown(model)}, not a name and not {name, revision, precision}, with or without a form`,
  );
}

/** @throws RankmillError `invalid_field` */
export function checkText(field: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw invalid(field, `is ${shown(value)}, not a text`);
}

/** @throws RankmillError `invalid_field` */
export function checkCount(field: string, value: unknown, unit?: string): void {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return;
  const ofUnit = unit === undefined ? "" : ` of ${unit}`;
  throw invalid(field, `is ${shown(value)}, not a whole number${ofUnit} above 0`);
}

/** @throws RankmillError `invalid_field`: a limit that is no number would be no limit */
export function checkLimits(limits: Partial<Limits>): void {
  checkNames(limits, Object.keys(DEFAULT_LIMITS));
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined) checkCount(name, value);
  }
}

/**
 * Refuses a field that is another spelling of a known one: `top_n` or `topn` would be ignored
 * without a word. Fields of the caller's own are left alone.
 *
 * @throws RankmillError `invalid_field`
 */
export function checkNames(given: object, known: readonly string[]): void {
  for (const field of Object.keys(given)) {
    if (known.includes(field)) continue;
    const meant = known.find((name) => plain(name) === plain(field));
    if (meant !== undefined) throw invalid(field, `is called ${meant} here`);
  }
}

/** @throws RankmillError `invalid_field`: a number beyond JSON, or an object that holds itself */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new RankmillError(
      "invalid_field",
      `the request cannot be written as JSON: ${String(error)}`,
      {
        cause: error,
      },
    );
  }
}

function invalid(field: string, what: string): RankmillError {
  return new RankmillError("invalid_field", `${field}: ${what}`, { field });
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function plain(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, "").toLowerCase();
}
