/** Texts of every shape, and edits of them as a person or a model makes them. */
import fc from 'fast-check';
import { splitLines } from '../../server/changeset/lines.ts';

/** `at`, `count`: of lines, taken modulo what is there. */
export type TextEdit = {
  how:
    | 'insertLine'
    | 'replaceLines'
    | 'deleteLines'
    | 'insertInLine'
    | 'copyLines'
    | 'swapEnd'
    | 'dropFinalEnd'
    | 'deleteAll';
  at: number;
  count: number;
};

export const textEdit: fc.Arbitrary<TextEdit> = fc.record({
  how: fc.oneof(
    { weight: 4, arbitrary: fc.constant('insertLine' as const) },
    { weight: 4, arbitrary: fc.constant('replaceLines' as const) },
    { weight: 3, arbitrary: fc.constant('deleteLines' as const) },
    { weight: 3, arbitrary: fc.constant('insertInLine' as const) },
    { weight: 2, arbitrary: fc.constant('copyLines' as const) },
    { weight: 1, arbitrary: fc.constant('swapEnd' as const) },
    { weight: 1, arbitrary: fc.constantFrom('dropFinalEnd' as const, 'deleteAll' as const) },
  ),
  at: fc.nat({ max: 40 }),
  count: fc.integer({ min: 1, max: 3 }),
});

/** The text after the edit; what is new in it holds `mark`. */
export function edited(text: string, { how, at, count }: TextEdit, mark: string): string {
  const lines = splitLines(text);
  const end = /\r\n|\r|\n/.exec(text)?.[0] ?? '\n';
  const line = at % (lines.length + 1);
  switch (how) {
    case 'insertLine':
      return ended(lines.slice(0, line), end) + mark + end + lines.slice(line).join('');
    case 'replaceLines':
      return `${lines.slice(0, line).join('')}${mark}${end}${lines.slice(line + count).join('')}`;
    case 'deleteLines':
      return [...lines.slice(0, line), ...lines.slice(line + count)].join('');
    case 'insertInLine': {
      const target = lines[line] ?? '';
      const middle = Math.floor(target.replace(/[\r\n]+$/, '').length / 2);
      return (
        lines.slice(0, line).join('') +
        target.slice(0, middle) +
        mark +
        target.slice(middle) +
        lines.slice(line + 1).join('')
      );
    }
    case 'copyLines':
      return (
        ended([...lines.slice(0, line), ...lines.slice(Math.max(0, line - count), line)], end) +
        lines.slice(line).join('')
      );
    case 'swapEnd': {
      const target = lines[line] ?? '';
      const other = target.endsWith('\r\n') ? target.replace(/\r\n$/, '\n') : target.replace(/\r$|\n$/, '\r\n');
      return [...lines.slice(0, line), other, ...lines.slice(line + 1)].join('');
    }
    case 'dropFinalEnd':
      return text.replace(/(?:\r\n|\r|\n)$/, '');
    case 'deleteAll':
      return '';
  }
}

const ended = (lines: readonly string[], end: string): string => {
  const text = lines.join('');
  return text === '' || /[\r\n]$/.test(text) ? text : text + end;
};

const lineEnds = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');
const lastEnd = fc.constantFrom(true, true, true, false);

/** Lines that occur once each. */
export const uniqueText = fc.tuple(fc.integer({ min: 0, max: 24 }), lineEnds, lastEnd).map(([count, end, last]) =>
  joined(
    Array.from({ length: count }, (_, i) => `line ${i}`),
    end,
    last,
  ),
);

/** Few different lines, so that they repeat, and perhaps mixed line ends. */
export const repeatingText = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', '', '}', '  x'), lineEnds), {
      minLength: 4,
      maxLength: 24,
      size: 'max',
    }),
    fc.option(lineEnds, { nil: undefined }),
    lastEnd,
  )
  .map(([lines, end, last]) => {
    const text = lines.map(([line, own]) => line + (end ?? own)).join('');
    return last ? text : text.replace(/[\r\n]+$/, '');
  });

const joined = (lines: readonly string[], end: string, last: boolean): string =>
  lines.length === 0 ? '' : lines.join(end) + (last ? end : '');
