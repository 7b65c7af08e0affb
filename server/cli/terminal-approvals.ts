/** Approvals asked at the terminal. Where there is none, the answer is no. */
import { createInterface } from 'node:readline/promises';
import type { Approval, Decision } from '../protocol/thread.ts';
import type { Tasks } from '../task/tasks.ts';
import type { CliOptions } from './options.ts';
import { noSandbox, printable } from './progress.ts';
import { shellFace } from './shell-face.ts';

/** Answers what a turn of this thread asks, one question at a time. Returns the function that stops it. */
export function answerOnTerminal(
  tasks: Tasks,
  threadId: () => string | undefined,
  options: Pick<CliOptions, 'stdin' | 'stderr' | 'signal'>,
): () => void {
  let last: Promise<void> = Promise.resolve();
  return tasks.subscribe(({ event, ...envelope }) => {
    if (envelope.threadId !== threadId() || event.type !== 'approvalRequested' || event.approval.kind === 'changes')
      return;
    const { approval } = event;
    last = last.then(async () => {
      const decision = await ask(approval, options);
      // It may have been withdrawn meanwhile: then there is nothing left to answer.
      await tasks.approve({ approvalId: approval.approvalId, decision }, shellFace).catch(() => {});
    });
  });
}

async function ask(
  approval: Approval,
  { stdin, stderr, signal }: Pick<CliOptions, 'stdin' | 'stderr' | 'signal'>,
): Promise<Decision> {
  if (!stdin.isTTY || !stderr.isTTY || stdin.readableEnded || stdin.destroyed) {
    stderr.write(
      `declined, because there is no terminal to ask at: ${noSandbox(approval)}${printable(approval.title)}\n`,
    );
    return 'decline';
  }
  // Where the terminal is another process's, that one echoes what is typed.
  const terminal = createInterface({ input: stdin, output: stderr, terminal: stdin.isFar ? false : undefined });
  // Where the input ends, readline's own answer never comes.
  const left = new Promise<Decision>((resolve) => {
    terminal.once('SIGINT', () => resolve('cancel'));
    terminal.once('close', () => resolve('decline'));
  });
  try {
    if (approval.detail) stderr.write(`${indented(printable(approval.detail))}\n`);
    if (approval.reason) stderr.write(`  ${printable(approval.reason)}\n`);
    const asked = terminal.question(
      `  ${noSandbox(approval)}allow? [y]es, for this [t]hread, [N]o, [c]ancel the task: `,
      { signal },
    );
    return await Promise.race([asked.then(decisionOf), left]);
  } catch {
    return 'cancel';
  } finally {
    terminal.close();
  }
}

const indented = (text: string): string => text.replace(/^/gm, '  ');

const answers: ReadonlyMap<string, Decision> = new Map([
  ['y', 'accept'],
  ['yes', 'accept'],
  ['t', 'acceptForThread'],
  ['c', 'cancel'],
]);
const decisionOf = (answer: string): Decision => answers.get(answer.trim().toLowerCase()) ?? 'decline';
