import type { RouteModule } from "./env.js";
import { infoRoutes } from "./routes/info.js";
import { modelRoutes } from "./routes/models.js";
import { probeRoutes } from "./routes/probes.js";
import { wireRoutes } from "./routes/wires.js";

/** Every group of routes. */
export const MODULES: readonly RouteModule[] = [probeRoutes, modelRoutes, infoRoutes, wireRoutes];
