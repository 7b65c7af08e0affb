/** A conflicting hunk asked for again: what the model is told, and what is left of the review. */
import { describe, expect, test } from 'vitest';
import { nextCopy } from '../../server/changeset/outcome.ts';
import { redoOf, redoPrompt, withoutRedone } from '../../server/changeset/redo.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import type { Review } from '../../server/changeset/review-types.ts';
import { binary, type Files, idsOf, link, listed, review, text, words } from './states.ts';

const firstOf = (reviewed: Review): string => idsOf(reviewed, 'conflicting')[0] ?? '';
function promptOf(reviewed: Review): string {
  const redo = redoOf(reviewed, firstOf(reviewed));
  return redo ? redoPrompt(redo) : '';
}

describe('the prompt holds the file and both sides', () => {
  test('of lines', () => {
    const reviewed = review({ f: text(words('a b c')) }, { f: text(words('a B c')) }, { f: text(words('z a X Y c')) });
    expect(promptOf(reviewed)).toContain('on my version of f.');
    expect(promptOf(reviewed)).toContain(
      'At line 3:\n<before>\nb\n</before>\n<mine>\nX\nY\n</mine>\n<yours>\nB\n</yours>',
    );
  });

  test('of each, where several are in conflict', () => {
    const before = { f: text(words('a b c d e')) };
    const reviewed = review(before, { f: text(words('a B c D e')) }, { f: text(words('a X c Y e')) });
    expect(promptOf(reviewed)).toMatch(/1\. At line 2:[\s\S]*<yours>\nB\n[\s\S]*2\. At line 4:[\s\S]*<yours>\nD\n/);
  });

  const whole: [name: string, base: Files, agent: Files, user: Files, said: string[]][] = [
    [
      'deleted by the user',
      { f: text('a\n') },
      { f: text('b\n') },
      {},
      ['<mine>no file</mine>', '<yours>\nb\n</yours>'],
    ],
    [
      'deleted by the agent',
      { f: text('a\n') },
      {},
      { f: text('x\n') },
      ['<mine>\nx\n</mine>', '<yours>no file</yours>'],
    ],
    ['created by both', {}, { f: text('b\n') }, { f: text('x\n') }, ['<mine>\nx\n</mine>', '<yours>\nb\n</yours>']],
    ['binary', { f: binary('1') }, { f: binary('2') }, { f: binary('3') }, ['<mine>a binary file of 3 bytes</mine>']],
    ['a link', { f: link('g') }, { f: link('h') }, { f: link('i') }, ['a symbolic link to h', 'a symbolic link to i']],
  ];
  test.each(whole)('of a whole file: %s', (_name, base, agent, user, said) => {
    const reviewed = review(base, agent, user);
    const prompt = promptOf(reviewed);
    expect(prompt).toContain('The whole of f:');
    for (const words of said) expect(prompt).toContain(words);
    expect([...nextCopy(withoutRedone(reviewed, firstOf(reviewed)))]).toEqual([]);
  });

  test('and is bounded, and says where it is cut', () => {
    const long = (letter: string) => text(Array.from({ length: 50_000 }, (_, i) => `${letter}${i}\n`).join(''));
    const prompt = promptOf(review({ f: long('a') }, { f: long('b') }, { f: long('c') }));
    expect(prompt.length).toBeLessThan(80_000);
    expect(prompt).toContain('cut here');
  });
});

describe('what leaves the copy', () => {
  const before = { f: text(words('a b c d e')), g: text(words('a b c')) };
  const agent = { f: text(words('A b c D e')), g: text(words('a B c')) };
  const user = { f: text(words('a b c X e')), g: text(words('a Y c')) };

  test("the conflicts of that file, so that the agent has the user's text of it; nothing else", () => {
    const reviewed = review(before, agent, user);
    const left = nextCopy(withoutRedone(reviewed, firstOf(reviewed)));
    expect(Object.fromEntries(left)).toEqual({
      f: { base: user.f, agent: text(words('A b c X e')) },
      g: { base: before.g, agent: agent.g },
    });
    const next = reviewOf(
      [...left].map(([path, entry]) => ({ path, ...entry })),
      new Map(Object.entries(user)),
      new Map(),
    );
    expect(listed(next)).toEqual(['f:1 pending', 'g:2 conflicting']);
  });

  test('nothing, where the hunk is in no conflict or not there', () => {
    const reviewed = review(before, agent, user);
    expect(withoutRedone(reviewed, idsOf(reviewed)[0])).toBe(reviewed);
    expect(withoutRedone(reviewed, 'h0123456789')).toBe(reviewed);
    expect(withoutRedone(reviewed, undefined)).toBe(reviewed);
  });
});
