/** The last line of a run that held abuse cases: how many there were, and how many held, as whom. */
import type { Reporter, TestModule } from 'vitest/node';

export default class AbuseSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const line = summaryOf(modules);
    if (line !== undefined) process.stdout.write(`\n${line}\n`);
  }
}

function summaryOf(modules: readonly TestModule[]): string | undefined {
  const counts = { root: { ran: 0, held: 0 }, user: { ran: 0, held: 0 } };
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const as = test.meta().abuse;
      const { state } = test.result();
      if (as === undefined || (state !== 'passed' && state !== 'failed')) continue;
      counts[as].ran++;
      if (state === 'passed') counts[as].held++;
    }
  }
  const { root, user } = counts;
  if (root.ran + user.ran === 0) return undefined;
  const asUser = `${user.held} of ${user.ran}`;
  return root.ran === 0
    ? `abuse suite: root: not run, ${asUser} held as user`
    : `abuse suite: ${root.held} of ${root.ran} held as root, ${asUser} as user`;
}
