/** The path of the pages for runs. */
export const PAGES_PATH = "/dashboard";

/** Whether the pages answer for a path: they find out themselves who asks. */
export function isPagesPath(path: string): boolean {
  return path === PAGES_PATH || path.startsWith(`${PAGES_PATH}/`);
}
