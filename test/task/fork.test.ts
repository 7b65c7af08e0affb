/** A forked thread: what it has of the first, what it has not, and that both go on without each other. */
import { readdirSync } from 'node:fs';
import { chown, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noDocuments } from '../../server/task/ports.ts';
import { gate, messageTexts, patch, say, script, shell, soon, toolOutputs } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const files = {
  '.gitignore': 'out/\n',
  'a.txt': 'one\n',
  'gone/x.txt': 'x\n',
  'again/old.txt': 'old\n',
  'again/sub/old.txt': 'old\n',
  'tool.sh': 'echo\n',
  'other.txt': 'of another\n',
};

const change =
  "echo ONE > a.txt; rm -r gone; rm -r again; mkdir -p again/sub; echo new > again/sub/new.txt; chmod +x tool.sh; ln -s a.txt link; printf 'a\\0b' > bin; mkdir -p out; echo kept > out/ignored; umask 077; echo closed > out/closed; chmod 0 out/closed; git -c user.name=A -c user.email=a@localhost commit -qam agent";
const look =
  'cat a.txt; ls gone 2>&1 | head -1; find again -type f; test -x tool.sh && echo runs; readlink link; od -c bin | head -1; cat out/ignored; stat -c %a out/closed; git log --format=%s -1';

const accepted = async ({ tasks }: Bench, threadId: string) => (await tasks.accept(threadId, {}, diskFace)).result;
const eventsOf = async ({ tasks }: Bench, threadId: string) => (await tasks.thread(threadId)).events;

describe.each([
  { name: 'an overlay', isTree: false },
  { name: 'a whole tree', isTree: true },
])('over $name', ({ isTree }) => {
  test.runIf(!isTree || process.getuid?.() === 0)(
    'the fork has all of the copy, and each goes its own way',
    async () => {
      await using bench = await openBench({
        files,
        script: script(
          shell(change),
          say('First.'),
          shell(look),
          shell('echo fork > a.txt; rm -r again'),
          say('In the fork.'),
          shell(look),
          say('In the first.'),
        ),
      });
      const { root } = bench.workspace;
      // A file of another owner rules an overlay out.
      if (isTree) await chown(join(root, 'other.txt'), 54_321, 54_321);
      const { threadId } = await bench.run('change things');
      const reviewed = await bench.review(threadId);
      expect(reviewed.length).toBeGreaterThan(6);

      const fork = await bench.tasks.fork(threadId);
      expect(fork.threadId).not.toBe(threadId);
      expect(await bench.review(fork.threadId)).toEqual(reviewed);
      const { thread } = await bench.tasks.thread(fork.threadId);
      expect(thread).toMatchObject({ title: 'change things (fork)', status: 'inReview', archived: false });

      await bench.restart();
      expect(await bench.review(fork.threadId)).toEqual(reviewed);
      expect((await bench.run('go on', { threadId: fork.threadId })).end.status).toBe('completed');
      expect((await bench.run('go on', { threadId })).end.status).toBe('completed');
      const looks = bench.model.requests
        .map((request) => toolOutputs(request).at(-1) ?? '')
        .filter((output) => output.includes('runs'));
      expect(looks).toHaveLength(2);
      const shown = (output: string | undefined) => output?.slice(output.indexOf('ONE'));
      expect(shown(looks[0])).toBe(shown(looks[1]));
      expect(looks[0]).toContain('again/sub/new.txt\nruns\na.txt\n');
      expect(looks[0]).toContain('kept\n0\nagent');
      expect(looks[0]).not.toContain('old.txt');

      expect(await bench.review(threadId)).toEqual(reviewed);
      expect(await accepted(bench, threadId)).toMatchObject({ conflicts: [], failed: [] });
      expect(await bench.workspace.read('a.txt')).toBe('ONE\n');
      expect(await bench.review(fork.threadId)).toContain('a.txt:1 conflicting');
    },
  );
});

test('a fork is numbered from 1, without what was asked, granted and spent, and is asked for as a whole anew', async () => {
  await using bench = await openBench({ files, script: script(patch('a.txt', '-one', '+ONE'), say('Done.')) });
  const { threadId } = await bench.run('shout');
  const [asked] = bench.tasks.approvals({ threadId });
  const fork = await bench.tasks.fork(threadId);
  const events = await eventsOf(bench, fork.threadId);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(events.map(({ threadId }) => threadId))).toEqual(new Set([fork.threadId]));
  const types = events.map(({ event }) => event.type);
  expect(types.slice(-3)).toEqual(['forked', 'changesetUpdated', 'approvalRequested']);
  expect(types.filter((type) => type === 'approvalRequested')).toHaveLength(1);
  expect(types).not.toContain('usage');
  const [askedAnew] = bench.tasks.approvals({ threadId: fork.threadId });
  expect(askedAnew).toMatchObject({ kind: 'changes', threadId: fork.threadId });
  expect(askedAnew?.approvalId).not.toBe(asked?.approvalId);
  // Only what is new was told to whoever listens.
  const told = bench.events.filter((envelope) => envelope.threadId === fork.threadId);
  expect(told.map(({ event }) => event.type)).toEqual(['forked', 'changesetUpdated', 'approvalRequested']);

  await bench.tasks.reject(fork.threadId, {}, noDocuments);
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
  expect(bench.tasks.approvals({ threadId })).toEqual([asked]);
});

test('what was decided is so in the fork, and only the first thread takes back what it applied', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'one\n', 'b.txt': 'two\n' },
    script: script(patch('a.txt', '-one', '+ONE'), patch('b.txt', '-two', '+TWO'), say('Done.'), say('Seen.')),
  });
  const { threadId } = await bench.run('shout');
  await (await bench.tasks.accept(threadId, { files: ['a.txt'] }, diskFace)).result;
  const fork = await bench.tasks.fork(threadId);
  expect(await bench.review(fork.threadId)).toEqual(['a.txt:1 accepted', 'b.txt:1 pending']);
  await expect(bench.tasks.undo(fork.threadId, diskFace)).rejects.toMatchObject({ reason: 'nothingToUndo' });
  await bench.tasks.delete(threadId);
  await bench.run('go on', { threadId: fork.threadId });
  const said = messageTexts(bench.model.requests.at(-1)).join('\n');
  expect(said).toContain('Accepted, now in the user’s files: a.txt (1 hunk)');
  expect(await bench.review(fork.threadId)).toEqual(['b.txt:1 pending']);
});

test('forked at an earlier turn: the history to its end, and no changes, which the model is told', async () => {
  await using bench = await openBench({
    files,
    script: script(patch('a.txt', '-one', '+ONE'), say('First.'), say('Second.'), say('Anew.')),
  });
  const { threadId } = await bench.run('first');
  const { turnId = '' } = bench.events.find(({ event }) => event.type === 'turnCompleted') ?? {};
  await bench.run('second', { threadId });
  const fork = await bench.tasks.fork(threadId, turnId);
  const prompts = (await eventsOf(bench, fork.threadId)).flatMap(({ event }) =>
    event.type === 'turnStarted' ? [event.prompt] : [],
  );
  expect(prompts).toEqual(['first']);
  expect(await bench.review(fork.threadId)).toEqual([]);
  expect((await bench.tasks.thread(fork.threadId)).thread.status).toBe('idle');
  expect(bench.tasks.approvals({ threadId: fork.threadId })).toEqual([]);
  await bench.run('anew', { threadId: fork.threadId });
  const texts = messageTexts(bench.model.requests.at(-1));
  expect(texts).toEqual(expect.arrayContaining(['first', 'anew', expect.stringContaining('<forked>')]));
  expect(texts).not.toContain('second');
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
  // Its own turns can be forked too.
  const again = await bench.tasks.fork(fork.threadId, turnId);
  expect((await bench.tasks.thread(again.threadId)).thread.title).toBe('first (fork) (fork)');
});

test('a running turn is not forked, an earlier one is; a turn of nobody is named', async () => {
  const held = gate(say('Second.'));
  await using bench = await openBench({ files, script: script(say('First.'), held) });
  const { threadId } = await bench.run('first');
  const { turnId = '' } = bench.events.find(({ event }) => event.type === 'turnCompleted') ?? {};
  const running = await bench.start('second', { threadId });
  await soon(held.arrived, 'the second turn');
  await expect(bench.tasks.fork(threadId)).rejects.toMatchObject({ reason: 'turnRunning' });
  await expect(bench.tasks.fork(threadId, running.turnId)).rejects.toMatchObject({ reason: 'turnRunning' });
  await expect(bench.tasks.fork(threadId, 'u1')).rejects.toThrow(`turnId: thread ${threadId} has no turn u1.`);
  await expect(bench.tasks.fork('t1')).rejects.toMatchObject({ reason: 'unknownThread' });
  const fork = await bench.tasks.fork(threadId, turnId);
  held.open();
  await bench.event('turnCompleted', ({ summary }) => summary === 'Second.');
  expect((await bench.tasks.list({})).threads.map((one) => one.threadId).sort()).toEqual(
    [threadId, fork.threadId].sort(),
  );
});

test('of a fork that breaks off nothing is left', async () => {
  await using bench = await openBench({ files, script: script(patch('a.txt', '-one', '+ONE'), say('Done.')) });
  const { threadId } = await bench.run('shout');
  const folder = join(bench.workspace.stateDir, 'threads');
  // Where the folder of the copy was, nothing can be read.
  const base = join(folder, threadId, 'copy/up');
  await rename(base, `${base}.away`);
  await expect(bench.tasks.fork(threadId)).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([threadId]);
  await rename(`${base}.away`, base);
  await bench.tasks.fork(threadId);
  expect(readdirSync(folder)).toHaveLength(2);
});

test('a workspace of several folders is forked folder by folder', async () => {
  await using bench = await openBench({
    files: { 'api/a.txt': 'one\n', 'web/b.txt': 'two\n' },
    script: script(
      shell('echo ONE > a.txt; echo TWO > ../web/b.txt'),
      say('Done.'),
      shell('cat a.txt ../web/b.txt'),
      say('Seen.'),
    ),
  });
  const { root } = bench.workspace;
  const folders = [join(root, 'api'), join(root, 'web')];
  await mkdir(join(root, 'around'));
  const { threadId } = await bench.run('shout', { folders });
  const fork = await bench.tasks.fork(threadId);
  await bench.tasks.delete(threadId);
  expect(await bench.review(fork.threadId)).toEqual(['api/a.txt:1 pending', 'web/b.txt:1 pending']);
  await bench.run('look', { threadId: fork.threadId, folders });
  expect(toolOutputs(bench.model.requests.at(-1)).at(-1)).toContain('ONE\nTWO\n');
});
