/** Between a keystroke and the next review, hunks are where the review will find them, or are not offered. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from '../../server/changeset/lines.ts';
import type { ReviewFile } from '../../server/changeset/review-types.ts';
import { LineDocument } from '../../server/editor/line-document.ts';
import { MovingFile } from '../../server/editor/moving-file.ts';
import { review, text } from '../changeset/states.ts';

const ends = ['\n', '\r\n', '\r'];
const linesCount = 40;

/** Every line is there once, so that there is one way to see what changed. */
const textOf = (end: string): string => Array.from({ length: linesCount }, (_, line) => `line ${line}${end}`).join('');

const place = fc.record({ line: fc.nat(linesCount + 2), character: fc.nat(9) });
const near = place.chain((start) =>
  fc
    .record({ down: fc.nat(6), character: fc.nat(9) })
    .map(({ down, character }) => ({ start, end: { line: start.line + down, character } })),
);
const edit = fc.record({
  range: fc.oneof(
    { weight: 4, arbitrary: near },
    { weight: 3, arbitrary: place.map((at) => ({ start: at, end: at })) },
  ),
  typed: fc.constantFrom('', 'x', '\n', 'new\n', 'new\nnewer\n', 'in\nbetween'),
  /** The whole text is sent. */
  isFull: fc.nat(9).map((number) => number === 0),
});
/** Lines the agent changes, drops or puts a line behind. */
const agentLines = fc.uniqueArray(fc.nat(linesCount - 1), { minLength: 1, maxLength: 8 });

function byAgent(start: string, changed: readonly number[], end: string): string {
  const lines = splitLines(start);
  return lines
    .map((line, index) => {
      if (!changed.includes(index)) return line;
      return [`AGENT ${index}${end}`, '', `${line}agent ${index}${end}`][index % 3];
    })
    .join('');
}

test('hunks that were not touched stand where the next review finds them, still pending', () => {
  let moved = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...ends),
      agentLines,
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      (end, changed, edits) => {
        const start = textOf(end);
        const agent = byAgent(start, changed, end);
        const of = (user: string): ReviewFile | undefined =>
          review({ 'a.txt': text(start) }, { 'a.txt': text(agent) }, { 'a.txt': text(user) }).files[0];
        const before = of(start);
        if (!before) return;
        const document = new LineDocument('file:///a.txt', '', 0, start);
        const moving = new MovingFile(before, start);
        edits.forEach(({ range, typed, isFull }, index) => {
          const own = typed.replace(/[a-z]+/g, (word) => `${word}${index}`).replaceAll('\n', end);
          if (isFull) {
            const { start, end } = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
            const now = document.getText();
            moving.move(
              [document.edit(undefined, now.slice(0, start) + own + now.slice(Math.max(start, end)))].flatMap(
                (change) => change ?? [],
              ),
            );
          } else moving.move([document.edit(range, own)].flatMap((change) => change ?? []));
        });
        const after = new Map(of(document.getText())?.hunks.map((hunk) => [hunk.id, hunk]));
        for (const hunk of moving.file.hunks.filter(({ id }) => !moving.touched.has(id))) {
          expect(hunk).toEqual(after.get(hunk.id));
          if (hunk !== before.hunks.find(({ id }) => id === hunk.id)) moved += 1;
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(moved).toBeGreaterThan(1_000);
});

const file = (): ReviewFile => {
  const start = textOf('\n');
  const found = review({ 'a.txt': text(start) }, { 'a.txt': text(byAgent(start, [3, 6, 12, 21], '\n')) }).files[0];
  if (!found) throw new Error('nothing in review');
  return found;
};
const shown = ({ file: { hunks }, touched }: MovingFile): string[] =>
  hunks.map(({ id, line }) => (touched.has(id) ? 'touched' : String(line)));

test.each([
  ['nothing', [], ['3', '6', '12', '21']],
  ['a line above all', [{ line: 0, count: 0, shift: 1 }], ['4', '7', '13', '22']],
  ['two lines out of the middle', [{ line: 9, count: 2, shift: -2 }], ['3', '6', '10', '19']],
  ['the line before a hunk', [{ line: 11, count: 1, shift: 0 }], ['3', '6', 'touched', '21']],
  ['across two hunks', [{ line: 5, count: 9, shift: -9 }], ['3', 'touched', 'touched', '12']],
  ['behind all', [{ line: 30, count: 1, shift: 4 }], ['3', '6', '12', '21']],
  [
    'two at once, the second in the text that the first left',
    [
      { line: 0, count: 0, shift: 10 },
      { line: 17, count: 0, shift: 5 },
    ],
    ['13', 'touched', '27', '36'],
  ],
])('%s', (_, changes, expected) => {
  const moving = new MovingFile(file(), textOf('\n'));
  moving.move(changes);
  expect(shown(moving)).toEqual(expected);
});

test('a text that nobody knows the changes of, or that was not the reviewed one, leaves nothing to offer', () => {
  const replaced = new MovingFile(file(), textOf('\n'));
  replaced.move(undefined);
  expect(new Set(shown(replaced))).toEqual(new Set(['touched']));
  replaced.settle();
  expect(shown(replaced)).toEqual(['3', '6', '12', '21']);
  const other = new MovingFile(file(), 'something else\n');
  other.move([{ line: 30, count: 1, shift: 0 }]);
  expect(new Set(shown(other))).toEqual(new Set(['touched']));
});

test('a change of the mode depends on no line; a deletion on all of them', () => {
  const user = textOf('\n');
  const whole = (agent: ReturnType<typeof text> | { kind: 'absent' }): MovingFile => {
    const found = review({ 'a.txt': text(user) }, { 'a.txt': agent }).files[0];
    if (!found) throw new Error('nothing in review');
    return new MovingFile(found, user);
  };
  const mode = whole(text(user, 0o755));
  mode.move([{ line: 0, count: 1, shift: 0 }]);
  expect(shown(mode)).toEqual(['0']);
  const gone = whole({ kind: 'absent' });
  gone.move([{ line: 39, count: 1, shift: 0 }]);
  expect(shown(gone)).toEqual(['touched']);
});
