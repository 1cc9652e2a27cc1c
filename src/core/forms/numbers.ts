import type { NumericForm } from "./form.js";
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
const OWN_INT8 = ["int8-form", "file"] as const;

/** The command that starts a worker of a model in these numbers and no others. */
export function workerCommand(model: Numbers & { readonly name: string }): string {
  const { name, precision, form } = model;
  const own = precision === "int8" ? OWN_INT8 : undefined;
  const formOf: NumericForm | undefined = FORMS.find((one) => one.name === form);
  const option = form === undefined ? own : formOf?.option;
  const more = option === undefined ? "" : ` --${option.join(" ")}`;
  return `rankmill worker --model ${name} --precision ${precision}${more}`;
}

/** True if these numbers are there only once `prepare` has made them. */
export function arePrepared({ form }: Pick<Numbers, "form">): boolean {
  return FORMS.some(({ name, isPrepared }) => name === form && isPrepared);
}

export function sameNumbers(one: Numbers, other: Numbers): boolean {
  return one.precision === other.precision && one.form === other.form;
}
