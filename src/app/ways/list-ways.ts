/** The ways in which this host can compute a model, from the files that its folder has. */
import { RankmillError, wordingOf } from "../../core/errors.js";
import type { Form } from "../../core/forms/registry.js";
import { arePrepared, type Numbers } from "../../core/forms/numbers.js";
import type { Int8Form } from "../../core/forms/int8-forms.js";
import { COMPUTED_PRECISIONS, PRECISIONS, type Precision } from "../../core/precision.js";
import { option, wording } from "../../core/wording.js";
import { readCpuFeatures, type CpuFeatures } from "../../inference/host/cpu-features.js";
import { decideRuntime, type RuntimeChoice } from "../../inference/runtime/decide-runtime.js";
import {
  DEFAULT_RUNTIME,
  RUNTIME_KINDS,
  runtimeForForm,
  runtimeOf,
  type RuntimeKind,
} from "../../inference/runtime/registry.js";
import type { RuntimePlaces, RuntimeState } from "../../inference/runtime/runtime.js";
import type { ModelFolder } from "../../models/model-folder.js";
import type { ResolvedModel } from "../../models/resolve.js";
import type { ClosedWay, Way, Ways } from "./way.js";

export interface WaysRequest {
  /** The model in a precision. @throws RankmillError why its files cannot be used so */
  readonly resolve: (precision: Precision, int8Form?: Int8Form) => Promise<ResolvedModel>;
  readonly places: RuntimePlaces;
  /** Ways that the operator leaves. */
  readonly runtime: RuntimeChoice;
  readonly int8Form: Int8Form | undefined;
  /** False if nothing is to be prepared. */
  readonly prepares: boolean;
}

/** @throws RankmillError `model_not_found`; `model_unusable` if there is no fp32 file to compare with */
export async function listWays(request: WaysRequest): Promise<Ways> {
  const exact = await fp32Of(request);
  const cpu = await readCpuFeatures();
  const open: Way[] = [];
  const closed: ClosedWay[] = [];
  const kinds = RUNTIME_KINDS.filter((kind) => [kind, "auto"].includes(request.runtime));
  for (const kind of kinds) {
    const state = await runtimeOf(kind).find(request.places);
    for (const wanted of wantedOf(kind, exact.folder, request)) {
      const found = await wayOf(wanted, { kind, state, cpu }, request);
      if ("why" in found) closed.push(found);
      else open.push(found);
    }
  }
  return { reference: { model: exact, runtime: DEFAULT_RUNTIME }, open, closed };
}

async function fp32Of({ resolve }: WaysRequest): Promise<ResolvedModel> {
  try {
    return await resolve("fp32");
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "model_unusable") throw error;
    throw new RankmillError(
      "model_unusable",
      wording`${option("precision", "auto")} compares with the fp32 file, and it cannot be used (${wordingOf(error)}): fetch or export it, or name a precision`,
      { cause: error },
    );
  }
}

interface Wanted {
  readonly precision: Precision;
  readonly int8Form?: Int8Form;
}

/** What the files of a folder let a runtime compute. */
function wantedOf(kind: RuntimeKind, folder: ModelFolder, request: WaysRequest): Wanted[] {
  return PRECISIONS.filter((precision) => isComputedBy(kind, precision, folder)).flatMap(
    (precision): Wanted[] =>
      precision === "int8"
        ? int8FormsOf(folder, request).map((int8Form) => ({ precision, int8Form }))
        : [{ precision }],
  );
}

function isComputedBy(kind: RuntimeKind, precision: Precision, { files }: ModelFolder): boolean {
  const has = (one: Precision | undefined): boolean => files.some((file) => file.precision === one);
  const computed = COMPUTED_PRECISIONS[precision];
  if (!has(precision)) return has(computed?.from) && runtimeForForm(computed?.form).kind === kind;
  return runtimeOf(kind).files?.includes(precision) ?? true;
}

function int8FormsOf({ files }: ModelFolder, { int8Form }: WaysRequest): readonly Int8Form[] {
  const takesRows = files.find(({ precision }) => precision === "int8")?.takesRowScales === true;
  const all: readonly Int8Form[] = takesRows ? ["rows", "file"] : ["file"];
  return all.filter((form) => int8Form === undefined || form === int8Form);
}

const NOT_PREPARED = wording`it is made by preparing: leave ${option("prepare")} out`;

interface OnRuntime {
  readonly kind: RuntimeKind;
  readonly state: RuntimeState;
  readonly cpu: CpuFeatures;
}

async function wayOf(
  { precision, int8Form }: Wanted,
  { kind, state, cpu }: OnRuntime,
  { resolve, prepares }: WaysRequest,
): Promise<Way | ClosedWay> {
  const { form: own } = runtimeOf(kind);
  let numbers: Numbers = { precision, form: own ?? formFor(precision, int8Form) };
  try {
    const resolved = await resolve(precision, int8Form);
    const model = own === undefined ? resolved : { ...resolved, form: own };
    numbers = model;
    const runtime = decideRuntime({ kind, precision, file: model.file, cpu, state });
    if (prepares || !arePrepared(model)) return { model, runtime };
    return { numbers, runtime: kind, why: NOT_PREPARED };
  } catch (error) {
    if (!(error instanceof RankmillError)) throw error;
    return { numbers, runtime: kind, why: wordingOf(error) };
  }
}

function formFor(precision: Precision, int8Form: Int8Form | undefined): Form | undefined {
  return int8Form === "rows" ? "rows" : COMPUTED_PRECISIONS[precision]?.form;
}
