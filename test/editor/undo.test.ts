/** Undo, redo and refused accepts over the wire, with the real tasks behind. */
import { expect, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { type Editor, type EditorOptions, openEditor } from '../support/editor.ts';
import { patch, type Script, say, script, startModel, together } from '../support/model.ts';

const seven = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n';

async function opened(
  answers: Script,
  run: (editor: Editor) => Promise<void>,
  options: Partial<EditorOptions> = {},
): Promise<void> {
  await using model = await startModel(answers);
  await using editor = await openEditor({
    files: { 'a.txt': seven, 'b.txt': 'b\n' },
    tasks: ({ stateFolder }) => openTasks({ stateDir: stateFolder }),
    environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL },
    ...options,
  });
  await run(editor);
  editor.messages();
}

const shout = (): Script =>
  script(
    together(patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), patch('b.txt', '-b', '+B')),
    say('Shouted.'),
  );

test('an undo in an open buffer keeps what was typed, saved or not; redo comes by its parameter and by its own command', () =>
  opened(shout(), async (editor) => {
    await editor.open('a.txt');
    const task = await editor.runTask('shout');
    await task.reaches('inReview');
    await editor.request('codex/accept', {});
    editor.type('a.txt', 'seven', 'sieben');
    expect(await editor.request('codex/undo', {})).toMatchObject({
      applied: ['a.txt', 'b.txt'],
      conflicts: [],
      failed: [],
    });
    expect(await editor.text('a.txt')).toBe('one\ntwo\nthree\nfour\nfive\nsix\nsieben\n');
    expect(await editor.disk('b.txt')).toBe('b\n');
    expect(await editor.request('codex/undo', { redo: true })).toMatchObject({ applied: ['a.txt', 'b.txt'] });
    expect(await editor.text('a.txt')).toBe('ONE\ntwo\nthree\nFOUR\nfive\nsix\nsieben\n');
    await expect(editor.request('codex/undo', { redo: true })).rejects.toMatchObject({
      code: -32803,
      data: { reason: 'nothingToRedo' },
    });

    editor.type('a.txt', 'ONE', 'eins');
    expect(await editor.request('codex/undo', {})).toMatchObject({
      applied: ['a.txt', 'b.txt'],
      conflicts: [{ path: 'a.txt', reason: expect.stringContaining('your text was kept') }],
    });
    expect(await editor.text('a.txt')).toBe('eins\ntwo\nthree\nfour\nfive\nsix\nsieben\n');
    const becomes = (text: string) =>
      editor.waitFor(text, async () => (await editor.text('a.txt')) === text && (await editor.disk('b.txt')));
    expect(await editor.executeCommand('codex.redo')).toEqual({ applyId: expect.any(String) });
    expect(await becomes('eins\ntwo\nthree\nFOUR\nfive\nsix\nsieben\n')).toBe('B\n');
    await editor.executeCommand('codex.undo');
    expect(await becomes('eins\ntwo\nthree\nfour\nfive\nsix\nsieben\n')).toBe('b\n');
    await editor.executeCommand('codex.undo', [{ redo: true }]);
    expect(await becomes('eins\ntwo\nthree\nFOUR\nfive\nsix\nsieben\n')).toBe('B\n');
  }));

test('what is open and was created, deleted or moved by the server is named at accept, undo and redo, with the way to reload it', () =>
  opened(
    script(together(patch.delete('b.txt'), patch.move('a.txt', 'n.txt', '-one', '+ONE')), say('Moved.')),
    async (editor) => {
      await editor.open('a.txt');
      await editor.open('b.txt');
      const task = await editor.runTask('move');
      await task.reaches('inReview');
      editor.messages();
      expect(await editor.request('codex/accept', {})).toMatchObject({
        applied: ['b.txt', 'n.txt'],
        reload: ['b.txt', 'a.txt'],
      });
      expect((await editor.message('applied to')).text).toContain('b.txt, a.txt no longer on disk: close it.');
      expect(await editor.request('codex/undo', {})).toMatchObject({ applied: ['b.txt', 'n.txt'], failed: [] });
      // The documents were never anything else.
      expect((await editor.message('undone in')).text).toBe('Codex: undone in b.txt, n.txt.');
      expect(await editor.disk('a.txt')).toBe(seven);
      expect(await editor.request('codex/undo', { redo: true })).toMatchObject({
        applied: ['b.txt', 'n.txt'],
        failed: [],
        reload: ['b.txt', 'a.txt'],
      });
      expect(await editor.disk('n.txt')).toBe(seven.replace('one', 'ONE'));
    },
    { clientInfo: { name: 'helix' } },
  ));

test('an accept of an unknown, decided or stale hunk is an error that names it, and two clicks at once apply once', () =>
  opened(shout(), async (editor) => {
    await editor.open('a.txt');
    const task = await editor.runTask('shout');
    await task.reaches('inReview');
    const { files } = Object(await editor.request('codex/changeset', {}));
    const [one, four] = files[0].hunks.map(({ id }: { id: string }) => id);
    const refusal = (reason: string, hunk: string) => ({
      code: -32803,
      message: expect.stringContaining(hunk),
      data: { reason, hunk },
    });
    await expect(editor.request('codex/accept', { hunks: [one, 'h0'] })).rejects.toMatchObject(
      refusal('unknownHunk', 'h0'),
    );
    expect(await editor.text('a.txt')).toBe(seven);

    const clicks = await Promise.allSettled([1, 2].map(() => editor.request('codex/accept', { hunks: [one] })));
    expect(clicks.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(clicks.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: refusal('alreadyDecided', one),
    });
    expect(await editor.text('a.txt')).toBe(seven.replace('one', 'ONE'));

    editor.type('a.txt', 'four', 'vier');
    await expect(editor.request('codex/accept', { hunks: [four] })).rejects.toMatchObject(refusal('stale', four));
    await editor.request('codex/reject', { hunks: [four] });
    await expect(editor.request('codex/accept', { hunks: [four] })).rejects.toMatchObject(
      refusal('alreadyDecided', four),
    );

    const all = await Promise.all([1, 2].map(() => editor.request('codex/accept', {})));
    expect(all.map((result) => Object(result).applied).toSorted((a, b) => b.length - a.length)).toEqual([
      ['b.txt'],
      [],
    ]);
    expect(await editor.disk('b.txt')).toBe('B\n');
  }));
