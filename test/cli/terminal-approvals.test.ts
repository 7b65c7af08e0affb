import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { answerOnTerminal } from '../../server/cli/terminal-approvals.ts';
import type { Decision } from '../../server/protocol/thread.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

/** Asks for each of `titles` at once, lets `person` act at each question, and answers what was decided, and what was shown. */
async function decide(options: {
  terminal: boolean;
  titles?: string[];
  detail?: string;
  reason?: string;
  unsandboxed?: boolean;
  person: (stdin: PassThrough, stop: () => void) => void;
}): Promise<{ decisions: Decision[]; shown: string }> {
  const stop = new AbortController();
  const stdin = Object.assign(new PassThrough(), { isTTY: options.terminal });
  const stderr = Object.assign(new PassThrough(), { isTTY: options.terminal, columns: 80 });
  const shown = text(stderr);
  const tasks = new FakeTasks();
  tasks.add('one', '/root');
  answerOnTerminal(tasks, () => 'one', { stdin, stderr, signal: stop.signal });
  stderr.on('data', (chunk: Buffer) => {
    if (chunk.includes('allow?')) setImmediate(() => options.person(stdin, () => stop.abort()));
  });
  if (!options.terminal) options.person(stdin, () => stop.abort());
  const titles = options.titles ?? ['Run: make'];
  const settled = new Promise<void>((resolve) => {
    tasks.subscribe(({ event }) => {
      if (event.type === 'approvalResolved' && tasks.answered.length === titles.length) resolve();
    });
  });
  for (const [index, title] of titles.entries()) {
    const { detail, reason, unsandboxed } = options;
    const known = { approvalId: `p${index}`, threadId: 'one', turnId: 'u', title, detail, reason, unsandboxed };
    const approval = { ...known, kind: 'command' as const };
    tasks.pending.push({ ...approval, requestedAt: '', root: '/root' });
    tasks.emit('one', { type: 'approvalRequested', approval: { ...approval, requestedAt: '' } });
  }
  await settled;
  stderr.end();
  return { decisions: tasks.answered.map(({ decision }) => decision), shown: await shown };
}

test.each<[typed: string, decision: Decision]>([
  ['y\n', 'accept'],
  ['YES\n', 'accept'],
  ['t\n', 'acceptForThread'],
  ['c\n', 'cancel'],
  ['n\n', 'decline'],
  ['\n', 'decline'],
  ['constructor\n', 'decline'],
  ['\u0003', 'cancel'],
  ['\u0004', 'decline'],
])('%j at the terminal is %s', async (typed, decision) => {
  const { decisions } = await decide({ terminal: true, person: (stdin) => stdin.write(typed) });
  expect(decisions).toEqual([decision]);
});

test.each([[true], [undefined]])('that there is no sandbox is said where it is so: %s', async (unsandboxed) => {
  const { shown } = await decide({ terminal: true, unsandboxed, person: (stdin) => stdin.write('n\n') });
  expect(shown.includes('[no sandbox] allow?')).toBe(unsandboxed === true);
  const { shown: said } = await decide({ terminal: false, unsandboxed, person: () => {} });
  expect(said).toContain(unsandboxed ? 'to ask at: [no sandbox] Run: make' : 'to ask at: Run: make');
});

test('the detail and the reason stand above the question; nothing of them is obeyed or hidden', async () => {
  const { shown } = await decide({
    terminal: true,
    detail: 'first line\nsecond \u202e\u001b[2Jline',
    reason: 'be\u200bcause',
    person: (stdin) => stdin.write('n\n'),
  });
  expect(shown).toMatch(/ {2}first line\n {2}second \ufffdline\n {2}be\ufffdcause\n/);
  expect(shown).not.toContain('\u202e');
});

test('a terminal that goes away declines what is asked, and all that is asked after that', async () => {
  const titles = ['Run: make', 'Run: make test'];
  const { decisions, shown } = await decide({ terminal: true, titles, person: (stdin) => stdin.end() });
  expect(decisions).toEqual(['decline', 'decline']);
  expect(shown).toContain('declined, because there is no terminal to ask at: Run: make test\n');
});

test('the end of the program cancels', async () => {
  const { decisions } = await decide({ terminal: true, person: (_, stop) => stop() });
  expect(decisions).toEqual(['cancel']);
});

test.each<[what: string, person: (stdin: PassThrough) => void]>([
  ['open', () => {}],
  ['closed', (stdin) => stdin.end()],
  ['full of answers', (stdin) => stdin.write('y\ny\n')],
])('where there is no terminal the answer is no: stdin is %s', async (_, person) => {
  const { decisions, shown } = await decide({ terminal: false, person });
  expect(decisions).toEqual(['decline']);
  expect(shown).toBe('declined, because there is no terminal to ask at: Run: make\n');
});
