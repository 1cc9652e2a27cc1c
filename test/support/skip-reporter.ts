/** Names at the end of a run the tests that were skipped, and what each of them would have needed. */
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const UNSAID = "no reason given";

export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests("skipped")]);
    if (skipped.length === 0) return;
    const lines = [`\nSkipped tests: ${skipped.length}`];
    for (const [reason, tests] of byReason(skipped)) {
      lines.push(`  ${tests.length} for want of ${reason}`);
      const files = new Set(tests.map(({ module }) => relative("", module.moduleId)));
      for (const file of files) lines.push(`     ${file}`);
    }
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}

function byReason(tests: readonly TestCase[]): Map<string, TestCase[]> {
  const found = new Map<string, TestCase[]>();
  for (const test of tests) {
    const missing = missingOf(test);
    for (const reason of missing.length === 0 ? [UNSAID] : missing) {
      found.set(reason, [...(found.get(reason) ?? []), test]);
    }
  }
  return found;
}

/** Needs of the test and of every `describe` around it. */
function missingOf(test: TestCase): string[] {
  const missing = new Set<string>();
  let task: TestCase | TestCase["parent"] = test;
  while (task.type !== "module") {
    for (const need of task.meta().missing ?? []) missing.add(need);
    task = task.parent;
  }
  return [...missing];
}
