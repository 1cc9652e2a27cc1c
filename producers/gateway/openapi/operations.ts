import type { Operation } from "./operation.js";
import { descriptionOperations } from "./operations/description.js";
import { filesAndBatches } from "./operations/files.js";
import { jobOperations } from "./operations/jobs.js";
import { modelOperations } from "./operations/models.js";
import { probeOperations } from "./operations/probes.js";
import { rankingOperations } from "./operations/ranking.js";
import { runOperations } from "./operations/runs.js";

/** Every route. A test holds them against those of the router. */
export function operations(): readonly Operation[] {
  return [
    ...rankingOperations(),
    ...modelOperations,
    ...jobOperations,
    ...runOperations,
    ...filesAndBatches,
    ...probeOperations,
    ...descriptionOperations,
  ];
}
