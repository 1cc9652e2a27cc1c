import { stat } from "node:fs/promises";
import type { RerankRequest } from "../core/contract.js";
import { RankmillError } from "../core/errors.js";
import {
  CONTAINER_OPTIONS,
  type InputChoice,
  type InputContainer,
  type InputPlace,
  type SourceOptions,
} from "../core/ports/input-container.js";
import type { RecordSource } from "../core/ports/record-source.js";
import { containerOf } from "./containers/registry.js";
import { withGoodStart } from "./first-records.js";
import { refuseRecords } from "./refuse-records.js";
import { option, wording } from "../core/wording.js";

export interface OpenSourceOptions extends SourceOptions {
  /** Throws for a record that the output could not hold: it fails before it is scored. */
  readonly accepts?: ((request: RerankRequest) => void) | undefined;
}

/**
 * Opens what the records of a run come from.
 *
 * @throws RankmillError `invalid_option` for an input that cannot be read, or options that do not fit it
 */
export async function openSource(
  choice: InputChoice,
  options: OpenSourceOptions,
): Promise<RecordSource> {
  const container = containerOf(await placeOf(choice.input));
  checkOptions(container, choice);
  const source = await container.open(choice, options);
  const { accepts } = options;
  try {
    const started = await withGoodStart(source, choice.firstStage ?? choice.input);
    return accepts === undefined ? started : refuseRecords(started, accepts);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The kind of thing at the path; a path that leads nowhere is a file, which opening it will say. */
export async function placeOf(path: string): Promise<InputPlace> {
  if (path === "-") return { path, kind: "stream" };
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return { path, kind: "file" };
  return { path, kind: found.isDirectory() ? "folder" : "stream" };
}

/** @throws RankmillError `invalid_option` for options that mean nothing for this container */
function checkOptions(container: InputContainer, choice: InputChoice): void {
  for (const name of CONTAINER_OPTIONS) {
    if (choice[name] === undefined || container.takes.includes(name)) continue;
    throw new RankmillError(
      "invalid_option",
      wording`${option(name)}: needs the folder of a collection as ${option("input")}, and ${choice.input} is none`,
    );
  }
}
