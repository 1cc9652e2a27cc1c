import { option, wording } from "../../core/wording.js";
import { RankmillError } from "../../core/errors.js";
import { COMPUTED_PRECISIONS, type Precision } from "../../core/precision.js";
import { whyNoBf16, type CpuFeatures } from "../host/cpu-features.js";
import {
  DEFAULT_RUNTIME,
  RUNTIME_KINDS,
  runtimeForForm,
  runtimeOf,
  type RuntimeKind,
  type WorkerRuntime,
} from "./registry.js";
import type { RuntimeState } from "./runtime.js";

/** Runtimes that an operator may ask for; `auto` takes the one that the precision needs. */
export const RUNTIME_CHOICES = ["auto", ...RUNTIME_KINDS] as const;
export type RuntimeChoice = (typeof RUNTIME_CHOICES)[number];

/**
 * The runtime that a choice means.
 *
 * @param precision the one that was asked for; undefined if none was
 * @throws RankmillError `invalid_option` if the two exclude each other
 */
export function wantedRuntime(
  choice: RuntimeChoice,
  precision: Precision | undefined,
): RuntimeKind {
  const form = precision === undefined ? undefined : COMPUTED_PRECISIONS[precision]?.form;
  const needed = form === undefined ? undefined : runtimeForForm(form);
  if (choice === "auto") return needed?.kind ?? DEFAULT_RUNTIME.kind;
  if (needed !== undefined && needed.kind !== choice) {
    throw refused(
      wording`${option("runtime", choice)} with ${option("precision", precision)}: only ${needed.name} computes it; choose ${option("runtime", needed.kind)} or another precision`,
    );
  }
  return choice;
}

export interface RuntimeQuestion {
  readonly kind: RuntimeKind;
  readonly precision: Precision;
  /** The precision of the file that is there. */
  readonly file: {
    readonly precision: Precision;
    readonly prefixBytesPerToken?: number | undefined;
  };
  readonly cpu: CpuFeatures;
  readonly state: RuntimeState;
}

/**
 * The runtime of a worker, as it was found.
 *
 * @throws RankmillError `invalid_option`, `missing_dependency` in one line, with what to do, if this host
 *   cannot serve the choice
 */
export function decideRuntime(question: RuntimeQuestion): WorkerRuntime {
  const { kind, precision, file, cpu, state } = question;
  const { name, files } = runtimeOf(kind);
  if (kind === DEFAULT_RUNTIME.kind) return DEFAULT_RUNTIME;
  if (files !== undefined && !files.includes(file.precision)) {
    throw refused(
      wording`${option("runtime", kind)} with ${option("precision", precision)}: ${name} runs ${files.join(" and ")} files; leave the ${file.precision} one to ${option("runtime", DEFAULT_RUNTIME.kind)}`,
    );
  }
  if (file.prefixBytesPerToken !== undefined) {
    throw refused(
      wording`${option("runtime", kind)}: ${name} does not run graphs that compute what pairs of a query share once; leave this one to ${option("runtime", DEFAULT_RUNTIME.kind)}`,
    );
  }
  const bf16 = precision === "bf16";
  const why = bf16 ? whyNoBf16(cpu) : undefined;
  if (why !== undefined) {
    throw refused(
      wording`${option("precision", precision)}: ${why}, and ${name} would compute in fp32 under its name; choose fp32 or int8`,
    );
  }
  if (state.status === "absent") {
    throw new RankmillError(
      "missing_dependency",
      `${name} cannot be used: ${state.reason}; ${state.remedy}`,
    );
  }
  return { kind, libraryDir: state.libraryDir, bf16 };
}

function refused(message: ReturnType<typeof wording>): RankmillError {
  return new RankmillError("invalid_option", message, { field: "runtime" });
}
