import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { changedBlocks } from '../../../server/changeset/hunks.ts';
import { applyLineEdits, lineEnd, splitLines, withoutEnd } from '../../../server/changeset/lines.ts';
import { lineEdits } from '../../../server/changeset/outcome.ts';

const anyText = fc
  .array(fc.constantFrom('a', 'b', '\n', '\r', '\r\n', ' '), { maxLength: 40 })
  .map((parts) => parts.join(''));
/** Few different lines, so that they repeat. */
const repetitive = fc
  .tuple(fc.array(fc.constantFrom('a\n', 'b\n', '\n', '}\n', '  c\n'), { maxLength: 30 }), fc.constantFrom('', 'z'))
  .map(([lines, last]) => lines.join('') + last);

describe('lines', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a\n']],
    ['\n\n', ['\n', '\n']],
    ['a\r\nb\rc\nd', ['a\r\n', 'b\r', 'c\n', 'd']],
    ['\r\r\n\n', ['\r', '\r\n', '\n']],
  ])('%j', (whole, lines) => {
    expect(splitLines(whole)).toEqual(lines);
  });

  test("joined again they are the text, and they are LSP's lines", () => {
    fc.assert(
      fc.property(anyText, (whole) => {
        const lines = splitLines(whole);
        expect(lines.join('')).toBe(whole);
        const document = TextDocument.create('file:///x', '', 1, whole);
        expect(document.lineCount).toBe(
          lines.length + (lines.length === 0 || lineEnd(lines.at(-1) ?? '') !== '' ? 1 : 0),
        );
        let offset = 0;
        for (const [line, content] of lines.entries()) {
          expect(document.offsetAt({ line, character: 0 })).toBe(offset);
          expect(withoutEnd(content) + lineEnd(content)).toBe(content);
          offset += content.length;
        }
      }),
      { numRuns: 300 * 15 },
    );
  });

  test('edits that overlap or leave the text are a bug', () => {
    const edit = { line: 0, deleteCount: 2, lines: [] };
    expect(() => applyLineEdits(['a'], [edit])).toThrow(RangeError);
    expect(() => applyLineEdits(['a', 'b', 'c'], [edit, { ...edit, line: 1 }])).toThrow(RangeError);
  });
});

/** A changed text with `-` and `+` before its lines. */
function shown(before: string, after: string): string[] {
  const oldLines = splitLines(before);
  const newLines = splitLines(after);
  const out: string[] = [];
  let done = 0;
  for (const { oldLine, oldCount, newLine, newCount } of changedBlocks(oldLines, newLines)) {
    out.push(...oldLines.slice(done, oldLine).map((line) => ` ${line}`));
    out.push(...oldLines.slice(oldLine, oldLine + oldCount).map((line) => `-${line}`));
    out.push(...newLines.slice(newLine, newLine + newCount).map((line) => `+${line}`));
    done = oldLine + oldCount;
  }
  return [...out, ...oldLines.slice(done).map((line) => ` ${line}`)].map((line) => line.trimEnd());
}

describe('changed blocks', () => {
  const cases: [name: string, before: string, after: string, diff: string[]][] = [
    ['nothing', 'a\n', 'a\n', [' a']],
    ['from nothing', '', 'a\nb\n', ['+a', '+b']],
    ['to nothing', 'a\n', '', ['-a']],
    ['one line between two changes parts them', 'a\nb\nc\n', 'A\nb\nC\n', ['-a', '+A', ' b', '-c', '+C']],
    ['neighbours are one change', 'a\nb\nc\n', 'A\nB\nc\n', ['-a', '-b', '+A', '+B', ' c']],
    ['a final newline is a change', 'a\nb', 'a\nb\n', [' a', '-b', '+b']],
    ['line ends are a change', 'a\nb\n', 'a\r\nb\n', ['-a', '+a', ' b']],
    [
      'a function put between two others is whole',
      'f {\n  1\n}\n\ng {\n  2\n}\n',
      'f {\n  1\n}\n\nh {\n  3\n}\n\ng {\n  2\n}\n',
      [' f {', '   1', ' }', '', '+h {', '+  3', '+}', '+', ' g {', '   2', ' }'],
    ],
    [
      'a function put last is whole',
      'f {\n  1\n}\n',
      'f {\n  1\n}\n\ng {\n  2\n}\n',
      [' f {', '   1', ' }', '+', '+g {', '+  2', '+}'],
    ],
    [
      'a comment stays with its function',
      '/**\n * b\n */\nb\n',
      '/**\n * a\n */\na\n\n/**\n * b\n */\nb\n',
      ['+/**', '+ * a', '+ */', '+a', '+', ' /**', '  * b', '  */', ' b'],
    ],
    [
      'an element of a list is whole',
      '[\n  {\n    a\n  },\n]\n',
      '[\n  {\n    a\n  },\n  {\n    b\n  },\n]\n',
      [' [', '   {', '     a', '   },', '+  {', '+    b', '+  },', ' ]'],
    ],
  ];
  test.each(cases)('%s', (_name, before, after, diff) => {
    expect(shown(before, after)).toEqual(diff);
  });

  test('are maximal, apart, and make the new text of the old one', () => {
    fc.assert(
      fc.property(repetitive, repetitive, (before, after) => {
        const [oldLines, newLines] = [splitLines(before), splitLines(after)];
        const blocks = changedBlocks(oldLines, newLines);
        let oldEnd = -1;
        let newEnd = -1;
        for (const block of blocks) {
          expect(block.oldCount + block.newCount).toBeGreaterThan(0);
          expect(block.oldLine).toBeGreaterThan(oldEnd);
          expect(block.newLine).toBeGreaterThan(newEnd);
          expect(block.oldLine - oldEnd).toBe(block.newLine - newEnd);
          oldEnd = block.oldLine + block.oldCount;
          newEnd = block.newLine + block.newCount;
        }
        expect(applyLineEdits(oldLines, lineEdits(before, after))).toBe(after);
      }),
      { numRuns: 500 * 15 },
    );
  });

  test('texts that have nothing in common, or everything twice, take bounded time', () => {
    const numbers = (count: number, word: string): string[] => Array.from({ length: count }, (_, i) => `${word}${i}\n`);
    const coins = (count: number, seed: number): string[] =>
      Array.from({ length: count }, (_, i) => `${Math.imul(i + 1, seed) >>> 30}\n`);
    const startedAtMs = performance.now();
    expect(changedBlocks(numbers(50_000, 'a'), numbers(50_000, 'b'))).toHaveLength(1);
    const oldLines = coins(30_000, 0x9e3779b1);
    const newLines = coins(30_000, 0x85ebca6b);
    expect(changedBlocks(oldLines, newLines)).toEqual(changedBlocks(oldLines, newLines));
    expect(performance.now() - startedAtMs).toBeLessThan(4000);
  });
});
