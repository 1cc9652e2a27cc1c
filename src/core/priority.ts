export const PRIORITIES = ["interactive", "bulk"] as const;
export type Priority = (typeof PRIORITIES)[number];
