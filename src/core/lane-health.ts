/** Whether a part does its work; `reason` is one line for people. */
export type Health =
  | { readonly status: "ok" }
  /** It works, with less than it should have. */
  | { readonly status: "degraded"; readonly reason: string }
  /** It does no work, now or for good. */
  | { readonly status: "failed"; readonly reason: string };
