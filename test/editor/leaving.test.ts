/** An editor that leaves while an accept waits for it: the host lives on, and so the result comes at once and is true. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import type { Tasks } from '../../server/task/tasks.ts';
import { type Editor, openEditor, type Task } from '../support/editor.ts';
import { patch, say, script, startModel } from '../support/model.ts';

const verifyTimeoutMs = 60_000;

/** An accept, asked of an editor that is killed when it gets the edit; and what the next editor finds. */
async function leaving(
  lastDeed: (editor: Editor) => Promise<object | undefined>,
  check: (result: unknown, editor: Editor, task: Task, review: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  await using model = await startModel(script(patch('a.txt', '-two', '+TWO'), say('Done.')));
  const environment = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL };
  const results: Promise<unknown>[] = [];
  await using first = await openEditor({
    files: { 'a.txt': 'one\ntwo\nthree\n' },
    tasks: async ({ stateFolder }) => watched(await openTasks({ stateDir: stateFolder }), results),
    environment,
    verifyTimeoutMs,
    applyEdit: async (_, editor) => {
      const reply = await lastDeed(editor);
      if (reply === undefined) editor.kill();
      else setTimeout(() => editor.kill(), 50);
      return reply ?? new Promise(() => {});
    },
  });
  await first.open('a.txt');
  const task = await first.runTask('shout');
  await task.reaches('inReview');
  first.request('codex/accept', { threadId: task.threadId }).catch(() => {});
  const result = await first.waitFor('the result', () => results[0]);
  await using second = await openEditor({ place: first, tasks: first.tasks, environment });
  await check(result, second, task, async () => {
    const { files } = await second.request('codex/changeset', { threadId: task.threadId });
    return files.flatMap(({ hunks }) => hunks.map(({ status }) => status));
  });
}

/** The same tasks, with what came of each accept. */
function watched(tasks: Tasks, results: Promise<unknown>[]): Tasks {
  const accept = tasks.accept;
  tasks.accept = async (...args) => {
    const applying = await accept(...args);
    results.push(applying.result);
    return applying;
  };
  return tasks;
}

test('an accept whose editor is killed ends at once: nothing is applied, and the next editor accepts', async () => {
  const started = performance.now();
  await leaving(
    async () => undefined,
    async (result, second, { threadId }, review) => {
      expect(result).toMatchObject({
        applied: [],
        failed: [{ path: 'a.txt', reason: expect.stringMatching(/^unconfirmed: the editor left before/) }],
      });
      expect(performance.now() - started).toBeLessThan(verifyTimeoutMs / 2);
      expect(await review()).toEqual(['pending']);
      await second.open('a.txt');
      const { applied } = await second.request('codex/accept', { threadId });
      expect(applied).toEqual(['a.txt']);
      expect(await second.text('a.txt')).toBe('one\nTWO\nthree\n');
      expect((await second.request('codex/undo', { threadId })).applied).toEqual(['a.txt']);
      expect(await second.text('a.txt')).toBe('one\ntwo\nthree\n');
    },
  );
});

test('an editor that says yes and leaves before it shows the change is not waited for', async () => {
  await leaving(
    async () => ({ applied: true }),
    async (result, second, _task, review) => {
      expect(result).toMatchObject({
        applied: [],
        failed: [{ reason: expect.stringMatching(/^unconfirmed: the editor left/) }],
      });
      expect(await second.disk('a.txt')).toBe('one\ntwo\nthree\n');
      expect(await review()).toEqual(['pending']);
    },
  );
});

test('what the editor saved before it left is applied', async () => {
  await leaving(
    async (editor) => {
      await writeFile(join(editor.root, 'a.txt'), 'one\nTWO\nthree\n');
      return undefined;
    },
    async (result, _second, _task, review) => {
      expect(result).toMatchObject({ applied: ['a.txt'], failed: [] });
      expect(await review()).toEqual(['accepted']);
    },
  );
});
