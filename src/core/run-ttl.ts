/** The time for which Redis keeps a submitted run and its rankings, if nothing else is asked for. */
export const DEFAULT_RUN_TTL_SECONDS = 604_800;
