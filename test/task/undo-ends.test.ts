/** Changes of nothing but line ends or a final newline: an editor that refuses, or is late, never costs the text to go back to. */
import { expect, test } from 'vitest';
import type { Face, OpenDocuments } from '../../server/task/ports.ts';
import { say, script, shell } from '../support/model.ts';
import { openBench } from '../support/task.ts';

type Manner = 'does it' | 'refuses' | 'is late';

/** An editor with one open document, `a.txt`. */
function editorOf(text: string) {
  const editor = { shown: text, coming: text, manner: 'does it' as Manner };
  const documents: OpenDocuments = { under: () => new Map([['a.txt', { text: editor.shown, version: 1 }]]) };
  const face: Face = {
    documents,
    profile: { mode: 'editor' },
    async applyEdits(_root, edits) {
      for (const { after } of edits) if (after.kind === 'text') editor.coming = after.text;
      if (editor.manner === 'does it') editor.shown = editor.coming;
      const reasons = { 'does it': undefined, refuses: 'the editor refused the edit', 'is late': 'unconfirmed' };
      return new Map(edits.map(({ path }) => [path, reasons[editor.manner]]));
    },
  };
  return { editor, documents, face };
}

test('an undo that the editor refuses can be tried again', async () => {
  const { editor, documents, face } = editorOf('a\nb');
  const turn = script(shell("printf 'a\\nb\\n' > a.txt"), say('Done.'));
  await using bench = await openBench({ files: { 'a.txt': 'a\nb' }, script: turn, documents });
  const { threadId } = await bench.run('end the last line');
  await (await bench.tasks.accept(threadId, {}, face)).result;
  expect(editor.shown).toBe('a\nb\n');
  editor.manner = 'refuses';
  expect(await (await bench.tasks.undo(threadId, face)).result).toMatchObject({ applied: [] });
  editor.manner = 'does it';
  expect(await (await bench.tasks.undo(threadId, face)).result).toMatchObject({ applied: ['a.txt'] });
  expect(editor.shown).toBe('a\nb');
});

test('an accept that arrives late can be undone', async () => {
  const { editor, documents, face } = editorOf('a\nb\n');
  const turn = script(shell("printf 'a\\r\\nb\\r\\n' > a.txt"), say('Done.'));
  await using bench = await openBench({ files: { 'a.txt': 'a\nb\n' }, script: turn, documents });
  const { threadId } = await bench.run('line ends of Windows');
  editor.manner = 'is late';
  await (await bench.tasks.accept(threadId, {}, face)).result;
  editor.shown = editor.coming;
  editor.manner = 'does it';
  expect(await (await bench.tasks.undo(threadId, face)).result).toMatchObject({ applied: ['a.txt'] });
  expect(editor.shown).toBe('a\nb\n');
});

test('an editor that breaks off after the disk was written: what is written is decided, and undone', async () => {
  const { documents, face } = editorOf('a\n');
  const turn = script(shell("printf 'A\\n' > a.txt; printf 'B\\n' > b.txt"), say('Done.'));
  await using bench = await openBench({ files: { 'a.txt': 'a\n', 'b.txt': 'b\n' }, script: turn, documents });
  const { threadId } = await bench.run('shout');
  const broken: Face = {
    ...face,
    profile: { mode: 'mixed' },
    applyEdits: () => Promise.reject(new Error('the connection is gone')),
  };
  expect(await (await bench.tasks.accept(threadId, {}, broken)).result).toMatchObject({
    applied: ['b.txt'],
    failed: [{ path: 'a.txt', reason: 'the connection is gone' }],
  });
  expect(await bench.workspace.read('b.txt')).toBe('B\n');
  await bench.restart();
  await (await bench.tasks.undo(threadId, { ...broken, applyEdits: face.applyEdits })).result;
  expect(await bench.workspace.read('b.txt')).toBe('b\n');
});

test('an editor that is gone before it said so has made the undo, if its file says so: the change waits for review again', async () => {
  const { editor, face } = editorOf('a\n');
  const turn = script(shell("printf 'A\\n' > a.txt"), say('Done.'));
  await using bench = await openBench({ files: { 'a.txt': 'a\n' }, script: turn });
  const { threadId } = await bench.run('shout');
  const saving: Face = {
    ...face,
    async applyEdits(root, edits) {
      const outcomes = await face.applyEdits(root, edits);
      await bench.workspace.write('a.txt', editor.coming);
      return outcomes;
    },
  };
  expect(await (await bench.tasks.accept(threadId, {}, saving)).result).toMatchObject({ applied: ['a.txt'] });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted']);
  editor.manner = 'is late';
  expect(await (await bench.tasks.undo(threadId, saving)).result).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
});
