/** What it costs to review and accept many hunks, written by the server or by an editor that answers at once. */
import { realpath } from 'node:fs/promises';
import { openTasks } from '../../server/task/open.ts';
import type { Tasks } from '../../server/task/tasks.ts';
import { openEditor } from '../support/editor.ts';
import { custom, say, script, startModel } from '../support/model.ts';
import { makeWorkspace } from '../support/workspace.ts';

export type Size = { files: number; hunksInFile: number };
/** Of the whole process, editor and server: the time of its processors, and by the clock, with what it waited for. */
export type Cost = { cpuMs: number; clockMs: number };
export type Accepted = { review: Cost; again: Cost; accept: Cost };
type Way = 'disk' | 'editor';

const linesInHunk = 20;
const filesInPatch = 20;

const pathOf = (file: number): string => `src/part${file % 10}/file${file}.ts`;
const lineOf = (file: number, line: number): string => `export const value${line} = compute(${file}, ${line});`;

/** From nothing to the hunks on disk, or in the editor's buffers: the turn that made them is not counted. */
export async function measureAccept(size: Size, way: Way): Promise<Accepted> {
  const lines = size.hunksInFile * linesInHunk;
  const files = Object.fromEntries(
    Array.from({ length: size.files }, (_, file) => [
      pathOf(file),
      Array.from({ length: lines }, (_, line) => `${lineOf(file, line)}\n`).join(''),
    ]),
  );
  const paths = Object.keys(files);
  await using workspace = await makeWorkspace(files, { git: false });
  await using model = await startModel(script(...patches(size), say('Done.')));
  let tasks: Tasks | undefined;
  await using editor = await openEditor({
    place: { root: workspace.root, stateFolder: workspace.stateDir },
    tasks: async ({ stateFolder }) => {
      tasks = await openTasks({ stateDir: await realpath(stateFolder) });
      return tasks;
    },
    environment: { OPENAI_API_KEY: 'sk-bench', OPENAI_BASE_URL: model.baseURL },
    initializationOptions: { apply: way },
  });
  if (way === 'editor') for (const path of paths) await editor.open(path);
  const task = await editor.runTask('change everything');
  await task.reaches('inReview');
  await editor.message('Done.');
  const { threadId } = task;
  const [changeset, review] = await costOf(() => editor.request('codex/changeset', { threadId }));
  const [, again] = await costOf(() => editor.request('codex/changeset', { threadId }));
  const [result, accept] = await costOf(() => editor.request('codex/accept', { threadId }));
  const hunks = changeset.files.flatMap((file) => file.hunks);
  const expected = size.files * size.hunksInFile;
  if (hunks.length !== expected || result.applied.length !== size.files) {
    const failed = JSON.stringify(result.failed.slice(0, 3));
    throw new Error(`${hunks.length} of ${expected} hunks, applied to ${result.applied.length} files; ${failed}`);
  }
  if (editor.edits.length !== (way === 'editor' ? 1 : 0)) throw new Error(`${editor.edits.length} edits by the editor`);
  await editor.message('applied to');
  await editor.waitFor('the end of the review', () => paths.every((path) => editor.diagnostics(path).length === 0));
  editor.messages();
  return { review, again, accept };
}

async function costOf<T>(run: () => Promise<T>): Promise<[T, Cost]> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await run();
  const { user, system } = process.cpuUsage(cpuBefore);
  return [result, { cpuMs: (user + system) / 1_000, clockMs: performance.now() - startedAt }];
}

function patches({ files, hunksInFile }: Size) {
  const all = Array.from({ length: files }, (_, file) => file);
  return Array.from({ length: Math.ceil(files / filesInPatch) }, (_, index) => {
    const chosen = all.slice(index * filesInPatch, (index + 1) * filesInPatch);
    const changes = chosen.flatMap((file) => [
      `*** Update File: ${pathOf(file)}`,
      ...Array.from({ length: hunksInFile }, (_, hunk) => {
        const line = hunk * linesInHunk + 10;
        return [
          `@@`,
          ` ${lineOf(file, line - 1)}`,
          `-${lineOf(file, line)}`,
          `+// hunk ${hunk}`,
          `+${lineOf(file, -line)}`,
        ];
      }).flat(),
    ]);
    return custom('apply_patch', ['*** Begin Patch', ...changes, '*** End Patch', ''].join('\n'));
  });
}
