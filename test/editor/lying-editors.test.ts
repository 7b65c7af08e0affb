/** Editors whose word is worth nothing: the result says what is really there, and the next accept and undo work. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { openTasks } from '../../server/task/open.ts';
import { changesIn } from '../support/clients.ts';
import { type Editor, type EditorOptions, type Hands, openEditor, type Task } from '../support/editor.ts';
import { patch, say, script, startModel, together } from '../support/model.ts';

const before = 'one\ntwo\nthree\n';
const after = 'one\nTWO\nthree\n';
const verifyTimeoutMs = 4_000;

async function inReview(
  run: (editor: Editor, task: Task) => Promise<void>,
  options: Partial<EditorOptions> = {},
): Promise<void> {
  await using model = await startModel(
    script(together(patch('a.txt', '-two', '+TWO'), patch('b.txt', '-two', '+TWO')), say('Done.')),
  );
  await using editor = await openEditor({
    files: { 'a.txt': before, 'b.txt': before },
    tasks: ({ stateFolder }) => openTasks({ stateDir: stateFolder }),
    environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL },
    verifyTimeoutMs,
    ...options,
  });
  await editor.open('a.txt');
  await editor.open('b.txt');
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  await run(editor, task);
  editor.messages();
}

const does = (params: Parameters<Hands>[0], editor: Editor): void => {
  for (const { path, edits } of changesIn(params, editor)) editor.edit(path, edits);
};
const statuses = async (task: Task): Promise<string[]> => (await task.review()).map((hunk) => hunk.replace(/:\d+/, ''));
const never = new Promise<never>(() => {});
const yes = { applied: true };

type Lie = { what: string; hands: Hands; applied: string[]; reason?: string };
const both = ['a.txt', 'b.txt'];

test.concurrent.each<Lie>([
  { what: 'says yes and does nothing', hands: async () => yes, applied: [], reason: 'unconfirmed' },
  { what: 'never answers and does nothing', hands: () => never, applied: [], reason: 'unconfirmed' },
  { what: 'answers null and does nothing', hands: async () => null, applied: [], reason: 'unconfirmed' },
  { what: 'answers {} and does nothing', hands: async () => ({}), applied: [], reason: 'unconfirmed' },
  {
    what: 'declines with a reason alone',
    hands: async () => ({ applied: null, failureReason: 'decision to decline' }),
    applied: [],
    reason: 'the editor refused the edit: decision to decline',
  },
  {
    what: 'answers an error and did it',
    hands: async (params, editor) => {
      does(params, editor);
      throw new ResponseError(ErrorCodes.InternalError, 'Internal error');
    },
    applied: both,
  },
  {
    what: 'answers an error and does nothing',
    hands: async () => {
      throw new ResponseError(ErrorCodes.InternalError, 'Internal error');
    },
    applied: [],
    reason: 'the editor refused the edit: Internal error',
  },
  {
    what: 'says no and does it a moment later',
    hands: async (params, editor) => {
      void wait(400).then(() => does(params, editor));
      return { applied: false, failureReason: 'decision to apply manually' };
    },
    applied: both,
  },
  {
    what: 'answers null and does it',
    hands: async (params, editor) => {
      does(params, editor);
      return null;
    },
    applied: both,
  },
  {
    what: 'does it and never answers',
    hands: async (params, editor) => {
      does(params, editor);
      return never;
    },
    applied: both,
  },
  {
    what: 'answers long after it was done',
    hands: async (params, editor) => {
      does(params, editor);
      await wait(600);
      return yes;
    },
    applied: both,
  },
  {
    what: 'tells of the change long after it answered',
    hands: async (params, editor) => {
      void wait(600).then(() => does(params, editor));
      return yes;
    },
    applied: both,
  },
  {
    what: 'does only the first file',
    hands: async (params, editor) => {
      const [first] = changesIn(params, editor);
      if (first) editor.edit(first.path, first.edits);
      return yes;
    },
    applied: ['a.txt'],
    reason: 'unconfirmed',
  },
  {
    what: 'opens the documents once more, and then does it',
    hands: async (params, editor) => {
      for (const path of both) await editor.open(path);
      does(params, editor);
      return yes;
    },
    applied: both,
  },
  {
    what: 'lets its versions jump',
    hands: async (params, editor) => {
      for (const { path, edits } of changesIn(params, editor)) editor.edit(path, edits, { versionStep: 3 });
      return yes;
    },
    applied: both,
  },
  {
    what: 'does each edit in two steps',
    hands: async (params, editor) => {
      for (const { path, edits } of changesIn(params, editor)) {
        const [edit] = edits;
        if (!edit) continue;
        editor.edit(path, [{ range: edit.range, newText: '' }]);
        editor.edit(path, [{ range: { start: edit.range.start, end: edit.range.start }, newText: edit.newText }]);
      }
      return yes;
    },
    applied: both,
  },
])('an editor that $what', ({ hands, applied, reason }) =>
  inReview(async (editor, task) => {
    editor.applyEdit = hands;
    const began = Date.now();
    const result = await editor.request('codex/accept', {});
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(result.applied.toSorted()).toEqual(applied);
    const missing = both.filter((path) => !applied.includes(path));
    expect(result.failed).toEqual(missing.map((path) => ({ path, reason })));
    for (const path of both) expect(await editor.text(path)).toBe(applied.includes(path) ? after : before);
    expect(await statuses(task)).toEqual(
      both.map((path) => `${path} ${applied.includes(path) ? 'accepted' : 'pending'}`),
    );

    editor.applyEdit = 'honest';
    if (missing.length > 0) {
      expect(await editor.request('codex/accept', {})).toMatchObject({ applied: missing, failed: [] });
    }
    for (const path of both) expect(await editor.text(path)).toBe(after);
    expect(await editor.request('codex/undo', {})).toMatchObject({ failed: [] });
    for (const path of missing.length > 0 ? missing : both) expect(await editor.text(path)).toBe(before);
    for (const path of both) expect(await editor.disk(path)).toBe(before);
  }),
);

test('an edit that Emacs leaves to its user is not waited for, and can be undone when it has come', () =>
  inReview(
    async (editor, task) => {
      let kept: Parameters<Hands>[0] | undefined;
      editor.applyEdit = async (params) => {
        kept = params;
        return { applied: false, failureReason: 'decision to apply manually' };
      };
      const { failed } = await editor.request('codex/accept', { files: ['a.txt'] });
      expect(failed).toEqual([{ path: 'a.txt', reason: 'unconfirmed' }]);
      if (kept) does(kept, editor);
      await editor.waitFor('the review', async () => (await statuses(task)).join() === 'b.txt pending');
      editor.applyEdit = 'honest';
      expect(await editor.request('codex/undo', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
      expect(await editor.text('a.txt')).toBe(before);
    },
    { clientInfo: { name: 'Eglot' } },
  ));

test('Kakoune writes a hidden buffer at once and tells of it later: the file is the proof', () =>
  inReview(
    async (editor) => {
      let kept: Parameters<Hands>[0] | undefined;
      editor.applyEdit = async (params) => {
        kept = params;
        for (const path of both) await writeFile(join(editor.root, path), after);
        return yes;
      };
      const result = await editor.request('codex/accept', {});
      expect(result).toMatchObject({ applied: both, failed: [] });
      if (kept) does(kept, editor);
      editor.applyEdit = 'honest';
      expect(await editor.request('codex/undo', {})).toMatchObject({ applied: both, failed: [] });
      for (const path of both) expect(await editor.text(path)).toBe(before);
    },
    { clientInfo: { name: 'kakoune-lsp' } },
  ));

test('an editor that closes the document in the middle: nothing is decided, and the server writes the file next time', () =>
  inReview(async (editor, task) => {
    editor.applyEdit = async () => {
      editor.close('a.txt');
      return yes;
    };
    const result = await editor.request('codex/accept', { files: ['a.txt'] });
    expect(result).toMatchObject({ applied: [], failed: [{ path: 'a.txt', reason: 'stale' }] });
    expect(await statuses(task)).toEqual(['a.txt pending', 'b.txt pending']);
    expect(await editor.request('codex/accept', { files: ['a.txt'] })).toMatchObject({
      applied: ['a.txt'],
      failed: [],
    });
    expect(await editor.disk('a.txt')).toBe(after);
    expect(await editor.request('codex/undo', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
    expect(await editor.disk('a.txt')).toBe(before);
  }));

test.concurrent.each([
  ['before it does the edit', false],
  ['after it has done it', true],
])('an editor that dies %s: the hunks wait for the next one', (_, isDone) =>
  inReview(async (editor, task) => {
    editor.applyEdit = async (params) => {
      if (isDone) does(params, editor);
      // What it wrote last still arrives.
      setTimeout(() => editor.kill(), 50);
      return never;
    };
    // Answered or not, that is the last it hears.
    await editor.request('codex/accept', {}).catch(() => {});
    await editor.waitFor('the end', () => editor.exitCode !== undefined);
    const place = { root: editor.root, stateFolder: editor.stateFolder };
    await using next = await openEditor({ tasks: editor.tasks, place });
    await next.open('a.txt');
    await next.open('b.txt');
    const { threadId } = task;
    // What was accepted into buffers that died unsaved is taken back, and accepted again.
    if (isDone) expect(await next.request('codex/undo', { threadId })).toMatchObject({ applied: both, failed: [] });
    expect(await next.request('codex/accept', { threadId })).toMatchObject({ applied: both, failed: [] });
    for (const path of both) expect(await next.text(path)).toBe(after);
    for (const path of both) expect(await next.disk(path)).toBe(before);
    next.messages();
  }),
);

test.concurrent.each<[what: string, shows: (text: string) => string]>([
  ['its own line ends', (text) => text.replace(/\r?\n/g, '\r\n')],
  ['no final newline', (text) => text.replace(/\n$/, '')],
])('an editor that keeps %s from the first edit on: applied, and undone', (_, shows) => {
  let isOn = false;
  return inReview(
    async (editor) => {
      isOn = true;
      expect(await editor.request('codex/accept', {})).toMatchObject({ applied: both, failed: [] });
      expect(await editor.text('a.txt')).toBe(shows(after));
      expect(await editor.request('codex/undo', {})).toMatchObject({ applied: both, failed: [] });
      expect(await editor.text('a.txt')).toBe(shows(before));
    },
    { shows: (text) => (isOn ? shows(text) : text) },
  );
});

test('an editor that reloads the document in the middle, under the same version', () =>
  inReview(async (editor) => {
    editor.applyEdit = async () => {
      editor.close('a.txt');
      await editor.open('a.txt', `zero\n${before}`);
      return yes;
    };
    const { failed } = await editor.request('codex/accept', { files: ['a.txt'] });
    expect(failed).toEqual([{ path: 'a.txt', reason: 'stale' }]);
    editor.applyEdit = 'honest';
    expect(await editor.request('codex/accept', { files: ['a.txt'] })).toMatchObject({
      applied: ['a.txt'],
      failed: [],
    });
    expect(await editor.text('a.txt')).toBe(`zero\n${after}`);
  }));

test('where one document has moved on, an editor that refuses all of them gets the others again', () =>
  inReview(async (editor) => {
    editor.applyEdit = async (params) => {
      const changes = changesIn(params, editor);
      if (editor.edits.length === 1) editor.type('a.txt', 'one', 'eins');
      if (changes.some(({ path, version }) => editor.version(path) !== version)) return { applied: false };
      does(params, editor);
      return yes;
    };
    expect(await editor.request('codex/accept', {})).toMatchObject({
      applied: ['b.txt'],
      failed: [{ path: 'a.txt', reason: 'stale' }],
    });
    expect(await editor.text('a.txt')).toBe('eins\ntwo\nthree\n');
    expect(await editor.text('b.txt')).toBe(after);
  }));

test('who types on while their text is being given back is told, and not written over', () =>
  inReview(async (editor) => {
    editor.applyEdit = async (params) => {
      if (editor.edits.length > 1) return { applied: false, failureReason: 'document has changed' };
      editor.type('a.txt', 'two', 'two!');
      does(params, editor);
      editor.type('a.txt', 'three', 'three?');
      return yes;
    };
    const { failed } = await editor.request('codex/accept', { files: ['a.txt'] });
    expect(failed).toEqual([{ path: 'a.txt', reason: expect.stringContaining('undo it there') }]);
    expect(await editor.text('a.txt')).toBe('one\nTWO\nthree?\n');
  }));
