/** Tells of jobs that ended. Notices may be lost (a broken connection): a reader also polls. */
export interface JobEndNotices {
  /** @returns a function that stops the notices */
  onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>>;
}
