import { expect, test } from 'vitest';
import type { EventEnvelope, ThreadEvent } from '../../server/protocol/thread.ts';
import { fold, newThread, planOf, statusOf, summaryOf } from '../../server/thread/state.ts';

const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 1, requests: 1 };
const started: ThreadEvent[] = [
  { type: 'threadStarted', title: 'one', root: 'file:///w' },
  { type: 'turnStarted', prompt: 'one', model: 'm', mode: 'task' },
];
const question = {
  approvalId: 'a1',
  threadId: 't',
  turnId: 'u1',
  kind: 'command' as const,
  title: 'Run: make',
  command: 'make',
  cwd: '',
  requestedAt: '2026-01-01T00:00:00.000Z',
};

function after(...events: ThreadEvent[]) {
  const envelopes = events.map(
    (event, index): EventEnvelope => ({
      threadId: 't',
      turnId: 'u1',
      seq: index + 1,
      at: `2026-01-01T00:00:0${index}.000Z`,
      event,
    }),
  );
  return envelopes.reduce(fold, newThread('t'));
}

test.each<[string, ThreadEvent[]]>([
  ['idle', []],
  ['running', started],
  ['waitingForApproval', [...started, { type: 'approvalRequested', approval: question }]],
  [
    'running',
    [
      ...started,
      { type: 'approvalRequested', approval: question },
      { type: 'approvalResolved', approvalId: 'a1', decision: 'accept' },
    ],
  ],
  [
    'inReview',
    [
      ...started,
      { type: 'changesetUpdated', files: 1, additions: 1, deletions: 0 },
      { type: 'turnCompleted', status: 'completed' },
      { type: 'approvalRequested', approval: { ...question, kind: 'changes' } },
    ],
  ],
  [
    'inReview',
    [
      ...started,
      { type: 'changesetUpdated', files: 1, additions: 1, deletions: 0 },
      { type: 'turnCompleted', status: 'failed', error: { reason: 'network', message: 'x' } },
    ],
  ],
  ['failed', [...started, { type: 'turnCompleted', status: 'failed', error: { reason: 'network', message: 'x' } }]],
  ['interrupted', [...started, { type: 'turnCompleted', status: 'interrupted' }]],
  ['idle', [...started, { type: 'turnCompleted', status: 'completed', summary: 'Done.' }]],
])('status %s', (status, events) => {
  expect(statusOf(after(...events))).toBe(status);
});

test('usage adds up; live deltas leave no trace', () => {
  const state = after(...started, { type: 'usage', usage }, { type: 'usage', usage });
  expect(summaryOf(state).usage).toMatchObject({ inputTokens: 20, requests: 2 });
  const same = fold(state, { threadId: 't', at: 'later', event: { type: 'itemDelta', itemId: 'i', delta: 'x' } });
  expect(same).toBe(state);
});

test('an item is replaced by its later self, and what still runs at the end of a turn was killed', () => {
  const command = { id: 'i1', type: 'command' as const, command: 'sleep 9', cwd: '', status: 'running' as const };
  const plan = { id: 'i2', type: 'plan' as const, steps: [{ step: 'look', status: 'pending' as const }] };
  const state = after(
    ...started,
    { type: 'itemStarted', item: command },
    { type: 'itemCompleted', item: plan },
    { type: 'turnCompleted', status: 'interrupted' },
  );
  expect(state.turns[0]?.items).toEqual([{ ...command, status: 'killed' }, plan]);
  expect(planOf(state)).toEqual(plan.steps);
});

test('decisions hold until the next turn; an undone hunk is pending again', () => {
  const decided = (status: 'accepted' | 'pending'): ThreadEvent => ({
    type: 'hunksDecided',
    hunks: [{ id: 'h1', path: 'a', status }],
  });
  expect(after(...started, decided('accepted')).decided.has('h1')).toBe(true);
  expect(after(...started, decided('accepted'), decided('pending')).decided.has('h1')).toBe(false);
  expect(after(...started, decided('accepted'), started[1] as ThreadEvent).decided.size).toBe(0);
});

test('an answer for the thread is remembered with what was shown, until it is taken back', () => {
  const given: ThreadEvent[] = [
    ...started,
    { type: 'approvalRequested', approval: question },
    { type: 'approvalResolved', approvalId: 'a1', decision: 'acceptForThread' },
  ];
  const at = '2026-01-01T00:00:03.000Z';
  const grant = { grantId: 'ga1', threadId: 't', kind: 'command', command: 'make', cwd: '', at };
  expect(after(...given).grants).toEqual([grant]);
  expect(after(...given).settled.get('a1')).toBe('acceptForThread');
  expect(after(...given, { type: 'grantRevoked', grantId: 'gb' }).grants).toEqual([grant]);
  expect(after(...given, { type: 'grantRevoked', grantId: 'ga1' }).grants).toEqual([]);
});

test.each(['accept', 'decline', 'cancel', 'withdrawn'] as const)('%s grants nothing for later', (decision) => {
  const asked: ThreadEvent = { type: 'approvalRequested', approval: question };
  expect(after(...started, asked, { type: 'approvalResolved', approvalId: 'a1', decision }).grants).toEqual([]);
});
