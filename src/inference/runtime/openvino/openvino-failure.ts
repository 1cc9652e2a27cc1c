/** Lines that say where in OpenVINO's sources a failure was seen, and nothing of the failure itself. */
const PLACES = /^(?:Exception from |Check '.*' failed at |\s*$)/;

/**
 * OpenVINO's words for a failure in one line.
 *
 * @param said its last message, of many lines
 */
export function openVinoReason(said: string | null, status: number): string {
  const lines = (said ?? "").split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => !PLACES.test(line)).join(" ");
  const all = telling === "" ? lines.filter((line) => line !== "").join(" ") : telling;
  return all === "" ? `status ${status}` : all;
}
