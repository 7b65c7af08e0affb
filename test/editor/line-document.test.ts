/** A document kept as lines is the same as one kept as a string, and says exactly which lines an edit changed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { LineChange } from '../../server/changeset/line-change.ts';
import { LineDocument } from '../../server/editor/line-document.ts';

const piece = fc.constantFrom('a', 'b', '👍', '\n', '\r', '\r\n', 'line\n');
const text = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''));
const place = fc.record({ line: fc.nat(8), character: fc.nat(8) });
const edit = fc.record({ range: fc.option(fc.record({ start: place, end: place }), { nil: undefined }), text });

/** The lines of a text as an editor counts them: the last has no end. */
const linesOf = (document: LineDocument): string[] =>
  Array.from({ length: document.lineCount }, (_, line) =>
    document.getText({ start: { line, character: 0 }, end: { line, character: Number.MAX_SAFE_INTEGER } }),
  );

test('random edits, positions and ranges are those of vscode-languageserver-textdocument', () => {
  fc.assert(
    fc.property(text, fc.array(edit, { maxLength: 8 }), place, place, (start, edits, a, b) => {
      const ours = new LineDocument('file:///a', 'x', 1, start);
      let theirs = TextDocument.create('file:///a', 'x', 1, start);
      for (const { range, text } of edits) {
        ours.edit(range, text);
        // A new one each time: its own count of lines suffers from places behind the end.
        const end = theirs.positionAt(theirs.getText().length);
        const clamped = (at: { line: number; character: number }) => (at.line > end.line ? end : at);
        const change = range ? { range: { start: clamped(range.start), end: clamped(range.end) }, text } : { text };
        theirs = TextDocument.create('file:///a', 'x', 1, TextDocument.applyEdits(theirs, []));
        TextDocument.update(theirs, [change], 1);
        theirs = TextDocument.create('file:///a', 'x', 1, theirs.getText());
        expect(ours.getText()).toBe(theirs.getText());
        expect(ours.lineCount).toBe(theirs.lineCount);
      }
      expect(ours.offsetAt(a)).toBe(theirs.offsetAt(a));
      for (let offset = 0; offset <= ours.getText().length; offset++) {
        expect(ours.positionAt(offset)).toEqual(theirs.positionAt(offset));
      }
      const isBackward = a.line > b.line || (a.line === b.line && a.character > b.character);
      const range = isBackward ? { start: b, end: a } : { start: a, end: b };
      expect(ours.getText(range)).toBe(theirs.getText(range));
    }),
    { numRuns: 1_000 },
  );
});

test('what an edit says it changed is all that it changed, and no line more at either end', () => {
  fc.assert(
    fc.property(text, fc.array(edit, { maxLength: 6 }), (start, edits) => {
      const document = new LineDocument('file:///a', 'x', 1, start);
      for (const { range, text } of edits) {
        const before = linesOf(document);
        const change: LineChange | undefined = document.edit(range, text);
        const after = linesOf(document);
        if (!change) {
          expect(after).toEqual(before);
          continue;
        }
        const { line, count, shift } = change;
        expect(after.slice(0, line)).toEqual(before.slice(0, line));
        expect(after.slice(line + count + shift)).toEqual(before.slice(line + count));
        expect(after.length - before.length).toBe(shift);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['a line typed in', 'a\nb\nc\n', [1, 0, 1, 0], 'x\n', { line: 1, count: 0, shift: 1 }],
  ['a letter', 'a\nb\nc\n', [1, 1, 1, 1], 'x', { line: 1, count: 1, shift: 0 }],
  ['Enter at the end of a line', 'a\nb\nc\n', [0, 1, 0, 1], '\n', { line: 1, count: 0, shift: 1 }],
  ['a line taken out', 'a\nb\nc\n', [1, 0, 2, 0], '', { line: 1, count: 1, shift: -1 }],
  ['a letter, with CRLF', 'a\r\nb\r\nc', [1, 1, 1, 1], 'x', { line: 1, count: 1, shift: 0 }],
  ['a line feed behind a carriage return', 'a\rb', [1, 0, 1, 0], '\n', { line: 0, count: 1, shift: 0 }],
  ['nothing', 'a\nb\n', [1, 0, 1, 1], 'b', undefined],
] as const)('%s', (_, start, [line, character, endLine, endCharacter], typed, expected) => {
  const document = new LineDocument('file:///a', 'x', 1, start);
  const range = { start: { line, character }, end: { line: endLine, character: endCharacter } };
  expect(document.edit(range, typed)).toEqual(expected);
});

test('a whole text that differs in one line is a change of that line', () => {
  const document = new LineDocument('file:///a', 'x', 1, 'a\nb\nc\n');
  expect(document.edit(undefined, 'a\nB\nc\n')).toEqual({ line: 1, count: 1, shift: 0 });
  expect(document.getText()).toBe('a\nB\nc\n');
});
