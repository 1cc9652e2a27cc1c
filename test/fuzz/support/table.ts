import type { TargetRun } from "./run-plan.js";

/** The cases of a run by target, as a page. */
export function tableOf(runs: readonly TargetRun[], seed: number, asked: number): string {
  const rows = runs
    .toSorted((a, b) => a.target.localeCompare(b.target))
    .map(
      ({ target, cases, refused, broken, peakRssBytes }) =>
        `| ${target} | ${cases} | ${refused} | ${broken.length} | ${Math.round(peakRssBytes / 1e6)} |`,
    );
  const total = runs.reduce((sum, { cases }) => sum + cases, 0);
  const broken = runs.reduce((sum, run) => sum + run.broken.length, 0);
  return [
    `# Fuzzing, ${total.toLocaleString("en")} cases with seed ${seed}`,
    "",
    `Made by \`npm run fuzz -- --seed ${seed} --cases ${asked}\` with Node ${process.version}. Broken cases: ${broken}.`,
    "",
    "| target | cases | refused by an error of rankmill | broken | most memory of the process, MB |",
    "| --- | --: | --: | --: | --: |",
    ...rows,
    "",
  ].join("\n");
}
