import { expect, test } from 'vitest';
import type { Item } from '../../server/protocol/thread.ts';
import { saidBefore } from '../../server/thread/said-before.ts';
import { newThread } from '../../server/thread/state.ts';

const say = (text: string): Item => ({ id: 'm', type: 'agentMessage', text });
const patch = (path: string, status: 'completed' | 'failed' = 'completed'): Item => ({
  id: 'p',
  type: 'patch',
  files: [{ path, kind: 'modify' }],
  status,
});
const plan: Item = { id: 'n', type: 'plan', steps: [] };

const said = (...turns: Item[][]): string | undefined => {
  const made = turns.map((items, index) => ({
    turnId: `u${index}`,
    prompt: '',
    model: '',
    mode: 'task' as const,
    items,
  }));
  return saidBefore({ ...newThread('t'), turns: made }, ['a.txt', 'old.txt']);
};

test.each<[string, Item[][], string | undefined]>([
  ['the message before the patch', [[say('Now a.'), patch('a.txt'), say('Done.')]], 'Now a.'],
  ['the last before it, whatever lies between', [[say('First.'), say('Now a.'), plan, patch('a.txt')]], 'Now a.'],
  [
    'of the last patch of that file',
    [[say('One.'), patch('a.txt'), say('Two.'), patch('b.txt'), patch('a.txt')]],
    'Two.',
  ],
  ['a patch under the old name counts', [[say('Moving.'), patch('old.txt')]], 'Moving.'],
  [
    'of the turn of that patch',
    [
      [say('Early.'), patch('a.txt')],
      [say('Later.'), patch('b.txt')],
    ],
    'Early.',
  ],
  ['never of another turn', [[say('Early.')], [patch('a.txt')]], undefined],
  ['a patch that failed changed nothing', [[say('Trying.'), patch('a.txt', 'failed')]], undefined],
  ['no patch of that file', [[say('Other.'), patch('b.txt')]], undefined],
  ['nothing was said', [[patch('a.txt'), say('Done.')]], undefined],
  ['nothing but spaces', [[say(' \n'), patch('a.txt')]], undefined],
])('%s', (_, turns, expected) => {
  expect(said(...turns)).toBe(expected);
});
