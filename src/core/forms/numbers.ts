import { FORMS } from "./registry.js";

/** The part of a model's identity that says with which numbers it is computed. */
export interface Numbers {
  readonly precision: string;
  /** A numeric form; absent: the file's own numbers on ONNX Runtime. */
  readonly form?: string | undefined;
}

/** The precision and the form in one word, such as `int8` or `int8-rows`. */
export function numbersName({ precision, form }: Numbers): string {
  return form === undefined ? precision : `${precision}-${form}`;
}

/** The file's own numbers are not the usual ones of int8. */
const OWN_INT8_FLAGS = "--int8-form file";

/** The flags with which a worker serves these numbers and no others. */
export function numbersFlags({ precision, form }: Numbers): string {
  const own = precision === "int8" ? OWN_INT8_FLAGS : "";
  const flags = form === undefined ? own : (FORMS.find(({ name }) => name === form)?.flags ?? "");
  return `--precision ${precision} ${flags}`.trimEnd();
}

/** True if these numbers are there only once `prepare` has made them. */
export function arePrepared({ form }: Pick<Numbers, "form">): boolean {
  return FORMS.some(({ name, isPrepared }) => name === form && isPrepared);
}

export function sameNumbers(one: Numbers, other: Numbers): boolean {
  return one.precision === other.precision && one.form === other.form;
}
