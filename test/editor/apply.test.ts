import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { ApplyPlan, LineEdit } from '../../server/changeset/review-types.ts';
import { toTextEdits } from '../../server/editor/to-lsp.ts';
import { type Editor, type EditorOptions, openEditor } from '../support/editor.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const line = fc.constantFrom('a', 'bb', '👍', '');
const text = fc
  .tuple(
    fc.array(line, { maxLength: 6 }),
    fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([lines, ends, final]) =>
    lines
      .map((one, index) => (index < lines.length - 1 || final ? one + (ends[index % ends.length] ?? '') : one))
      .join(''),
  );

test('whole-line edits say the same to an editor as to the changeset', () => {
  fc.assert(
    fc.property(
      text,
      fc.array(fc.record({ skip: fc.nat(2), deleteCount: fc.nat(2), lines: fc.array(line, { maxLength: 2 }) }), {
        maxLength: 3,
      }),
      (before, steps) => {
        const lines = before === '' ? [] : before.split(/(?<=\n|\r(?!\n))/);
        const edits: LineEdit[] = [];
        let at = 0;
        for (const { skip, deleteCount, lines: added } of steps) {
          const from = Math.min(at + skip, lines.length);
          const count = Math.min(deleteCount, lines.length - from);
          edits.push({ line: from, deleteCount: count, lines: added.map((one) => `${one}\n`) });
          at = from + count + 1;
          if (at > lines.length) break;
        }
        const expected = edits
          .toReversed()
          .reduce(
            (all, { line: from, deleteCount, lines: added }) => all.toSpliced(from, deleteCount, ...added),
            lines,
          );
        const made = toTextEdits(before, edits);
        expect(made.after).toBe(expected.join(''));
        const document = TextDocument.create('', '', 0, before);
        expect(TextDocument.applyEdits(document, made.edits)).toBe(expected.join(''));
        const end = document.positionAt(before.length);
        for (const { range } of made.edits) {
          for (const place of [range.start, range.end]) {
            const atEnd = place.line === end.line && place.character === end.character;
            expect(place.character === 0 || atEnd).toBe(true);
            expect(place.line <= end.line).toBe(true);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

const shout: LineEdit = { line: 1, deleteCount: 1, lines: ['TWO\n'] };
const files = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'one\ntwo\nthree\n' };
const after = 'one\nTWO\nthree\n';
const planned = (
  path: string,
  version: number | null,
  edits = [shout],
  wanted = after,
): ApplyPlan['editor'][number] => ({
  path,
  version,
  edits,
  after: { kind: 'text', text: wanted, mode: 0o644 },
});

async function opened(
  options: Partial<EditorOptions> = {},
): Promise<{ editor: Editor; apply: (...plan: ApplyPlan['editor']) => Promise<object> }> {
  const tasks = new FakeTasks();
  const editor = await openEditor({ tasks, files, ...options });
  await editor.open('a.txt');
  tasks.add('t1', editor.root, 'inReview');
  const apply = async (...plan: ApplyPlan['editor']): Promise<object> => {
    const { face } = tasks.accepted[0] ?? (await accepted(editor, tasks));
    return Object.fromEntries(await face.applyEdits(editor.root, plan));
  };
  return { editor, apply };
}

async function accepted(editor: Editor, tasks: FakeTasks) {
  await editor.request('codex/accept', { threadId: 't1' });
  const [call] = tasks.accepted;
  if (!call) throw new Error('not accepted');
  editor.messages();
  return call;
}

test('an open document gets a versioned edit of whole lines', async () => {
  const { editor, apply } = await opened();
  await using _ = editor;
  expect(await apply(planned('a.txt', 1))).toEqual({ 'a.txt': undefined });
  expect(await editor.text('a.txt')).toBe(after);
  expect(await editor.disk('a.txt')).toBe(files['a.txt']);
  expect(editor.edits).toEqual([
    {
      label: 'Codex',
      edit: {
        documentChanges: [
          {
            textDocument: { uri: editor.uri('a.txt'), version: 1 },
            edits: [{ range: { start: { line: 1, character: 0 }, end: { line: 2, character: 0 } }, newText: 'TWO\n' }],
          },
        ],
      },
    },
  ]);
});

test('a closed one gets an edit with an explicit null version', async () => {
  const { editor, apply } = await opened();
  await using _ = editor;
  expect(await apply(planned('a.txt', 1), planned('b.txt', null))).toEqual({ 'a.txt': undefined, 'b.txt': undefined });
  expect(editor.edits[0]?.edit.documentChanges).toMatchObject([
    { textDocument: { version: 1 } },
    { textDocument: { uri: editor.uri('b.txt'), version: null } },
  ]);
  expect(await editor.text('b.txt')).toBe(after);
});

test('an editor without documentChanges gets changes', async () => {
  const { editor, apply } = await opened({ capabilities: { workspace: { applyEdit: true } } });
  await using _ = editor;
  expect(await apply(planned('a.txt', 1))).toEqual({ 'a.txt': undefined });
  expect(Object.keys(editor.edits[0]?.edit.changes ?? {})).toEqual([editor.uri('a.txt')]);
});

test('Neovim declares only resource operations, and gets versions', async () => {
  const { editor, apply } = await opened({
    capabilities: { workspace: { applyEdit: true, workspaceEdit: { resourceOperations: ['create'] } } },
  });
  await using _ = editor;
  expect(await apply(planned('a.txt', 1))).toEqual({ 'a.txt': undefined });
  expect(editor.edits[0]?.edit.documentChanges).toHaveLength(1);
});

test.each<[what: string, plan: ApplyPlan['editor'][number]]>([
  ['another version', planned('a.txt', 2)],
  ['a document that was closed', planned('b.txt', 1)],
  ['a document that was opened', planned('a.txt', null)],
  ['another text under the same version, as after a reload', planned('a.txt', 1, [shout], 'uno\nTWO\nthree\n')],
])('stale, and never sent: %s', async (_, plan) => {
  const { editor, apply } = await opened();
  await using _editor = editor;
  expect(await apply(plan)).toEqual({ [plan.path]: 'stale' });
  expect(editor.edits).toEqual([]);
});

test('an editor that says yes and does nothing is not believed', async () => {
  const { editor, apply } = await opened({ applyEdit: 'lies', verifyTimeoutMs: 150 });
  await using _ = editor;
  expect(await apply(planned('a.txt', 1))).toEqual({ 'a.txt': 'unconfirmed' });
});

test.each([['late'], ['silent'], ['refusesButDoes']] as const)(
  'an editor that does it %s is believed by its text',
  async (applyEdit) => {
    const { editor, apply } = await opened({ applyEdit });
    await using _ = editor;
    expect(await apply(planned('a.txt', 1))).toEqual({ 'a.txt': undefined });
  },
);

test('an editor that refuses is quoted, and one that never answers is unconfirmed', async () => {
  const refusing = await opened({ applyEdit: 'refuses' });
  await using _ = refusing.editor;
  expect(await refusing.apply(planned('a.txt', 1))).toEqual({ 'a.txt': 'the editor refused the edit: not today' });
  const never = await opened({ applyEdit: 'never', verifyTimeoutMs: 100 });
  await using __ = never.editor;
  expect(await never.apply(planned('a.txt', 1))).toEqual({ 'a.txt': 'unconfirmed' });
});

test('what the user types in the same breath does not hide that the edit was done', async () => {
  const { editor, apply } = await opened({ applyEdit: 'late' });
  await using _ = editor;
  const outcome = apply(planned('a.txt', 1));
  await editor.waitFor('the edit', async () => (await editor.text('a.txt')) === after);
  editor.type('a.txt', 'three', 'drei');
  expect(await outcome).toEqual({ 'a.txt': undefined });
});

test('a closed file that the editor writes to disk itself is seen there', async () => {
  const { editor, apply } = await opened({ applyEdit: 'lies' });
  await using _ = editor;
  const outcome = apply(planned('b.txt', null));
  await editor.waitFor('the request', () => editor.edits.length > 0);
  await editor.open('b.txt');
  editor.type('b.txt', 'two', 'TWO');
  await editor.save('b.txt');
  editor.close('b.txt');
  expect(await outcome).toEqual({ 'b.txt': undefined });
});

test.each<[what: string, before: string, edit: LineEdit, wanted: string]>([
  ['everywhere', 'one\rtwo\rthree\r', { line: 1, deleteCount: 1, lines: ['TWO\r'] }, 'one\rTWO\rthree\r'],
  ['in one place', 'one\rtwo\nthree', { line: 2, deleteCount: 1, lines: ['THREE'] }, 'one\rtwo\nTHREE'],
  ['before a CRLF', 'one\r\r\ntwo\r\n', { line: 2, deleteCount: 1, lines: ['TWO\r\n'] }, 'one\r\r\nTWO\r\n'],
])('a lone carriage return ends a line, %s', async (_, before, edit, wanted) => {
  const { editor, apply } = await opened({ files: { ...files, 'cr.txt': before } });
  await using _editor = editor;
  await editor.open('cr.txt');
  expect(await apply(planned('cr.txt', 1, [edit], wanted))).toEqual({ 'cr.txt': undefined });
  expect(await editor.text('cr.txt')).toBe(wanted);
});

test('the end of a file: CRLF, no final newline, and a change of nothing but that newline', async () => {
  const { editor, apply } = await opened({
    unsaved: { 'crlf.txt': 'one\r\ntwo', 'newline.txt': 'one' },
    files: { ...files, 'crlf.txt': '', 'newline.txt': '' },
  });
  await using _ = editor;
  const crlf = planned(
    'crlf.txt',
    1,
    [{ line: 1, deleteCount: 1, lines: ['two\r\n', 'three'] }],
    'one\r\ntwo\r\nthree',
  );
  const newline = planned('newline.txt', 1, [{ line: 0, deleteCount: 1, lines: ['one\n'] }], 'one\n');
  expect(await apply(crlf, newline)).toEqual({ 'crlf.txt': undefined, 'newline.txt': undefined });
  expect(await editor.text('crlf.txt')).toBe('one\r\ntwo\r\nthree');
  expect(await editor.text('newline.txt')).toBe('one\n');
});
