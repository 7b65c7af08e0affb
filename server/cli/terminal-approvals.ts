/** Approvals asked at the terminal. Where there is none, the answer is no. */
import { createInterface } from 'node:readline/promises';
import type { Approval, Decision } from '../protocol/thread.ts';
import type { Tasks } from '../task/tasks.ts';
import type { CliOptions } from './options.ts';
import { printable } from './progress.ts';
import { shellFace } from './shell-face.ts';

/** Answers what the turns of this process ask, one question at a time. */
export function answerOnTerminal(tasks: Tasks, options: CliOptions): void {
  let last: Promise<void> = Promise.resolve();
  tasks.subscribe(({ event }) => {
    if (event.type !== 'approvalRequested' || event.approval.kind === 'changes') return;
    const { approval } = event;
    last = last.then(async () => {
      const decision = await ask(approval, options);
      // It may have been withdrawn meanwhile: then there is nothing left to answer.
      await tasks.approve({ approvalId: approval.approvalId, decision }, shellFace).catch(() => {});
    });
  });
}

async function ask(approval: Approval, { stdin, stderr, signal }: CliOptions): Promise<Decision> {
  if (!stdin.isTTY || !stderr.isTTY) {
    stderr.write(`declined, because there is no terminal to ask at: ${printable(approval.title)}\n`);
    return 'decline';
  }
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    if (approval.reason) stderr.write(`  ${printable(approval.reason)}\n`);
    const answer = await terminal.question('  allow? [y]es, for this [t]hread, [N]o, [c]ancel the task: ', { signal });
    const answers: Record<string, Decision> = { y: 'accept', yes: 'accept', t: 'acceptForThread', c: 'cancel' };
    return answers[answer.trim().toLowerCase()] ?? 'decline';
  } catch {
    return 'cancel';
  } finally {
    terminal.close();
  }
}
