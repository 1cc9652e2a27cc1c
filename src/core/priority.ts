export type Priority = "interactive" | "bulk";
