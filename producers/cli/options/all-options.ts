import { CATALOGUE } from "./catalogue.js";
import { DASHBOARD } from "./dashboard.js";
import { DEVICE } from "./device.js";
import { DOWNLOAD } from "./download.js";
import { EVALUATION } from "./evaluation.js";
import { EVERYWHERE } from "./everywhere.js";
import { FETCH } from "./fetch.js";
import { GATEWAY } from "./gateway.js";
import { INPUT } from "./input.js";
import { KEYS, NEW_KEY } from "./keys.js";
import { LANES } from "./lanes.js";
import { LIMITS } from "./limits.js";
import { MESSAGES } from "./messages.js";
import { MODEL } from "./model.js";
import { NATIVE_SETUP } from "./native-setup.js";
import { OBSERVE } from "./observe.js";
import type { OptionGroup, OptionSpec } from "./option-spec.js";
import { OUTPUT } from "./output.js";
import { PREPARE } from "./prepare.js";
import { REDIS } from "./redis.js";
import { RUN } from "./run.js";
import { RESULTS, SCORING } from "./scoring.js";
import { SHOW } from "./show.js";
import { UPLOADS } from "./uploads.js";
import { SHUTDOWN, WORKER } from "./worker.js";

/** Every group, in the order of the page of options. */
export const ALL_GROUPS: readonly OptionGroup[] = [
  INPUT,
  OUTPUT,
  SHOW,
  EVALUATION,
  MODEL,
  CATALOGUE,
  DEVICE,
  RESULTS,
  SCORING,
  LANES,
  WORKER,
  SHUTDOWN,
  REDIS,
  RUN,
  LIMITS,
  OBSERVE,
  DASHBOARD,
  GATEWAY,
  UPLOADS,
  KEYS,
  NEW_KEY,
  PREPARE,
  FETCH,
  DOWNLOAD,
  NATIVE_SETUP,
  MESSAGES,
  EVERYWHERE,
];

/** Every option, by the name code uses. */
export const OPTIONS_BY_NAME: ReadonlyMap<string, OptionSpec> = new Map(
  ALL_GROUPS.flatMap(({ options }) => Object.entries(options)),
);

export const ALL_OPTIONS: readonly OptionSpec[] = [...OPTIONS_BY_NAME.values()];
