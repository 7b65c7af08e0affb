/** The whole way in memory: the real server, the real tasks, a real sandbox and a scripted model over HTTP. */
import { expect, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { type Editor, type EditorOptions, openEditor } from '../support/editor.ts';
import { patch, type Script, say, script, startModel, together } from '../support/model.ts';

const five = 'one\ntwo\nthree\nfour\nfive\n';

async function opened(
  answers: Script,
  run: (editor: Editor) => Promise<void>,
  options: Partial<EditorOptions> = {},
): Promise<void> {
  await using model = await startModel(answers);
  await using editor = await openEditor({
    files: { 'a.txt': five },
    tasks: ({ stateFolder }) => openTasks({ stateDir: stateFolder }),
    environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL },
    ...options,
  });
  await run(editor);
}

const shout = (): Script => script(patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), say('Shouted.'));

test('what the user typed survives; the hunk over it stays in review', () =>
  opened(shout(), async (editor) => {
    await editor.open('a.txt');
    const task = await editor.runTask('shout one and four');
    await task.reaches('inReview');
    await editor.message('Shouted.');
    editor.type('a.txt', 'four', 'quatre');
    await editor.codeAction('Codex: accept all changes', { at: 'a.txt:1' });
    await editor.message('applied to a.txt');
    expect(await editor.text('a.txt')).toBe('ONE\ntwo\nthree\nquatre\nfive\n');
    expect(await editor.disk('a.txt')).toBe(five);
    expect(await task.review()).toEqual(['a.txt:1 accepted', 'a.txt:4 conflicting']);
  }));

test('a comment becomes a task, one hunk is accepted in review.diff, then all is undone', () =>
  opened(
    script(patch('a.txt', '-one', '+ONE', ' two', ' three', ' four', '-five', '+FIVE'), say('Done.')),
    async (editor) => {
      await editor.open('a.txt', `# codex: shout\n${five}`);
      await editor.codeAction('Codex: shout', { at: 'a.txt:1' });
      await editor.message('Done.');
      const path = await editor.waitFor('the review', async () => {
        const { uri } = Object(await editor.executeCommand('codex.openReview'));
        return decodeURIComponent(uri.slice(editor.uri('').length + 1));
      });
      await editor.open(path);
      const line = (await editor.text(path)).split('\n').indexOf('+FIVE') + 1;
      await editor.codeAction('Codex: accept this hunk', { at: `${path}:${line}` });
      await editor.message('applied to a.txt');
      expect(await editor.text('a.txt')).toBe('# codex: shout\none\ntwo\nthree\nfour\nFIVE\n');
      const undone = await editor.request('codex/undo', {});
      expect(undone).toMatchObject({ applied: ['a.txt'], conflicts: [], failed: [] });
      expect(await editor.text('a.txt')).toBe(`# codex: shout\n${five}`);
      editor.messages();
    },
  ));

test.each(['lies', 'refuses'] as const)(
  'an editor that %s fails by name, and the hunk can be accepted again',
  (applyEdit) =>
    opened(
      shout(),
      async (editor) => {
        await editor.open('a.txt');
        const task = await editor.runTask('shout');
        await task.reaches('inReview');
        const result = await editor.request('codex/accept', {});
        expect(result).toMatchObject({ applied: [], failed: [{ path: 'a.txt' }] });
        expect(await task.review()).toEqual(['a.txt:1 pending', 'a.txt:4 pending']);
        expect(await editor.text('a.txt')).toBe(five);
        editor.messages();
      },
      { applyEdit, verifyTimeoutMs: 300 },
    ),
);

test('a file that is not open is written by the server', () =>
  opened(shout(), async (editor) => {
    const task = await editor.runTask('shout');
    await task.reaches('inReview');
    expect(await editor.request('codex/accept', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
    expect(await editor.disk('a.txt')).toBe('ONE\ntwo\nthree\nFOUR\nfive\n');
    expect(editor.edits).toEqual([]);
    editor.messages();
  }));

test('hovering a hunk says what the agent said before it; a line typed above moves it, and it is accepted there', () =>
  opened(
    script(together(say('The second one is too quiet.'), patch('a.txt', '-two', '+two, LOUD')), say('Done.')),
    async (editor) => {
      await editor.open('a.txt');
      const task = await editor.runTask('shout');
      await task.reaches('inReview');
      await editor.message('Done.');
      editor.type('a.txt', 'one', 'zero\none');
      const at = { textDocument: { uri: editor.uri('a.txt') }, position: { line: 2, character: 0 } };
      const hover = JSON.stringify(await editor.request('textDocument/hover', at));
      for (const part of ['“The second one is too quiet.”', '-two', '+two, LOUD', 'two{+, LOUD+}']) {
        expect(hover).toContain(part);
      }
      await editor.codeAction('Codex: accept this hunk', { at: 'a.txt:3' });
      await editor.message('applied to a.txt');
      expect(await editor.text('a.txt')).toBe(five.replace('one', 'zero\none').replace('two', 'two, LOUD'));
    },
  ));

test('a missing key fails the task, not the server', () =>
  opened(
    script(),
    async (editor) => {
      const task = await editor.runTask('x');
      await task.reaches('failed');
      expect(await editor.message('failed')).toMatchObject({ text: expect.stringContaining('OPENAI_API_KEY') });
    },
    { environment: {} },
  ));
