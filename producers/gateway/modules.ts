import type { RouteModule } from "./env.js";
import { batchRoutes } from "./routes/batches.js";
import { descriptionRoutes } from "./routes/description.js";
import { eventRoutes } from "./routes/events.js";
import { fileRoutes } from "./routes/files.js";
import { infoRoutes } from "./routes/info.js";
import { jobRoutes } from "./routes/jobs.js";
import { modelRoutes } from "./routes/models.js";
import { probeRoutes } from "./routes/probes.js";
import { redisAnswers } from "./routes/redis-answers.js";
import { runRoutes } from "./routes/runs.js";
import { wireRoutes } from "./routes/wires.js";

/** Every group of routes. */
export const MODULES: readonly RouteModule[] = [
  probeRoutes,
  descriptionRoutes,
  modelRoutes,
  infoRoutes,
  wireRoutes,
  redisAnswers,
  jobRoutes,
  runRoutes,
  eventRoutes,
  fileRoutes,
  batchRoutes,
];
