import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { lineEdits } from '../../server/changeset/outcome.ts';
import { type MadeEdit, type Sight, sight } from '../../server/editor/arrival.ts';
import { toTextEdits } from '../../server/editor/to-lsp.ts';

function made(before: string, after: string): MadeEdit {
  const lines = lineEdits(before, after);
  return { before, after, lines, edits: toTextEdits(before, lines).edits };
}

const before = 'one\ntwo\nthree\nfour\n';
const shout = made(before, 'one\nTWO\nthree\nfour\n');
const drop = made(before, 'one\nthree\nfour\n');
const add = made(before, 'one\ntwo\n2.5\nthree\nfour\n');

const both = made(before, 'ONE\ntwo\nthree\nFOUR\n');
const last = made(before, 'one\ntwo\nthree\nFOUR\n');

test.each<[what: string, edit: MadeEdit, previous: string, now: string, expected: Sight]>([
  ['as it was made', shout, before, 'one\nTWO\nthree\nfour\n', 'arrived'],
  ['nothing happened', shout, before, before, 'nothing'],
  ['only the user typed', shout, before, 'one\ntwo\nthree\nfour!\n', 'nothing'],
  ['the user typed in the very line', shout, before, 'one\ntwo!\nthree\nfour\n', 'nothing'],
  ['line ends of the editor', shout, before, 'one\r\nTWO\r\nthree\r\nfour\r\n', 'arrived'],
  ['no final newline', shout, before, 'one\nTWO\nthree\nfour', 'arrived'],
  ['line ends alone', shout, before, 'one\r\ntwo\r\nthree\r\nfour\r\n', 'nothing'],
  ['with what the user typed, told as one change', shout, before, 'one\nTWO\nthree\nfour!\n', 'arrived'],
  ['half of two places', both, before, 'ONE\ntwo\nthree\nfour\n', 'nothing'],
  ['rebased by the editor', shout, `zero\n${before}`, 'zero\none\nTWO\nthree\nfour\n', 'arrived'],
  ['put where it was, below what was typed', shout, `zero\n${before}`, 'zero\nTWO\ntwo\nthree\nfour\n', 'misplaced'],
  ['put over what was typed', shout, 'one\ntwo!\nthree\nfour\n', 'one\nTWO\nthree\nfour\n', 'misplaced'],
  ['done in two steps, the second', both, 'ONE\ntwo\nthree\nfour\n', 'ONE\ntwo\nthree\nFOUR\n', 'arrived'],
  ['taken out, then put in', last, 'one\ntwo\nthree\n', 'one\ntwo\nthree\nFOUR\n', 'arrived'],
  ['a line below, put over', last, 'one\ntwo\nthree\nfour!\n', 'one\ntwo\nthree\nFOUR\n', 'misplaced'],
  ['put over a line that was put in', drop, `zero\n${before}`, 'zero\ntwo\nthree\nfour\n', 'misplaced'],
  ['above what was typed', drop, 'one\ntwo\nthree\nfour!\n', 'one\nthree\nfour!\n', 'arrived'],
  ['next to what was typed', shout, 'one\ntwo\nthree!\nfour\n', 'one\nTWO\nthree!\nfour\n', 'arrived'],
  ['a line put into the wrong place', add, `zero\n${before}`, 'zero\none\n2.5\ntwo\nthree\nfour\n', 'misplaced'],
  ['the user went on after it was put wrong', shout, `zero\n${before}`, 'zero\nTWO\ntwo\nthree\nfour!\n', 'nothing'],
])('%s', (_, edit, previous, now, expected) => {
  expect(sight(edit, previous, now)).toBe(expected);
});

const line = fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n', 'e\n', 'f\n');
const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join(''));
const typed = fc.record({ at: fc.nat(40), remove: fc.nat(3), put: fc.constantFrom('', 'X', 'X\n', '\nX') });

test('an edit put into any text either leaves what was typed, or is told as misplaced', () => {
  fc.assert(
    fc.property(text, text, typed, (from, to, { at, remove, put }) => {
      const edit = made(from, to);
      fc.pre(from !== to && put !== '');
      const where = Math.min(at, from.length);
      const previous = from.slice(0, where) + put + from.slice(where + remove);
      const now = TextDocument.applyEdits(TextDocument.create('', '', 0, previous), [...edit.edits]);
      fc.pre(now !== previous);
      if (!now.includes('X')) expect(sight(edit, previous, now)).toBe('misplaced');
    }),
    { numRuns: 3_000 },
  );
});

test('what only the user has done is never taken for the edit', () => {
  fc.assert(
    fc.property(text, text, typed, (from, to, { at, remove, put }) => {
      const edit = made(from, to);
      const where = Math.min(at, from.length);
      const now = from.slice(0, where) + put + from.slice(where + remove);
      // An X is never part of the edit; where all else is as it was, nothing of the edit is there.
      fc.pre(from !== to && put !== '' && remove === 0);
      expect(sight(edit, from, now)).toBe('nothing');
    }),
    { numRuns: 3_000 },
  );
});
