/** What a keystroke in a large file with many pending hunks costs the server's only thread, and what is asked after it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReviewFile } from '../../server/changeset/review-types.ts';
import type { Client } from '../../server/editor/client.ts';
import { notifications, type Room, requests } from '../../server/editor/language-features.ts';
import { Publisher } from '../../server/editor/publish.ts';
import { Session } from '../../server/editor/session.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';
import { type Spread, spreadOf } from './spread.ts';

export type Typed = { keystroke: Spread; codeActions: Spread };
export type TypingSize = { lines: number; hunks: number; keystrokes: number };

const root = '/bench';
const path = 'large.ts';
const uri = `file://${root}/${path}`;
const threadId = 't1';

/** The handlers of the wire's messages are called as `serve` calls them: what is measured is all that they do at once. */
export async function measureTyping({ lines, hunks, keystrokes }: TypingSize): Promise<Typed> {
  const text = Array.from({ length: lines }, (_, line) => `  const value${line} = compute(${line}, 'é');\n`);
  const tasks = new FakeTasks();
  tasks.add(threadId, root, 'inReview');
  tasks.setReview(threadId, { files: [inReview(text, hunks)] });
  const { room, close } = openRoom(tasks);
  const notify = (method: string, params: object): void => notifications[method]?.(room, params, method);
  notify('textDocument/didOpen', { textDocument: { uri, version: 0, text: text.join('') } });
  await room.publisher.reviews.refreshed(threadId, root);
  const [keystroke, codeActions]: [number[], number[]] = [[], []];
  for (let version = 1; version <= keystrokes; version++) {
    // A sentence here, a line there: as a person types, and anywhere in the file.
    const line = Math.floor((((version >> 5) * 7919) % lines) * 0.9);
    const at = { line, character: 4 + (version % 8) };
    const range = { start: at, end: version % 5 === 4 ? { ...at, character: at.character + 1 } : at };
    const change = { range, text: version % 5 === 4 ? '' : version % 32 === 0 ? '\n' : 'x' };
    const params = { textDocument: { uri, version }, contentChanges: [change] };
    keystroke.push(timed(() => notify('textDocument/didChange', params)));
    const asked = { textDocument: { uri }, range: { start: at, end: at }, context: { diagnostics: [] } };
    codeActions.push(timed(() => requests['textDocument/codeAction']?.(room, asked, '')));
    await nextTurn();
  }
  const found = room.publisher.reviews.at(`${root}/${path}`);
  close();
  if (found[0]?.file.hunks.length !== hunks) throw new Error('the hunks were not in review while it was typed');
  return { keystroke: spreadOf(keystroke), codeActions: spreadOf(codeActions) };
}

function inReview(text: readonly string[], hunks: number): ReviewFile {
  const every = Math.floor(text.length / hunks);
  return fileInReview(
    path,
    text.join(''),
    Array.from({ length: hunks }, (_, hunk) => {
      const line = hunk * every + 2;
      return { line, oldLines: [text[line] ?? ''], newLines: [`  changed(${hunk});\n`] };
    }),
  );
}

function openRoom(tasks: FakeTasks): { room: Room; close(): void } {
  const client: Client = {
    notify: () => {},
    request: async () => ({ answered: true, result: null }),
    show: () => {},
    log: () => {},
  };
  const session = new Session(client, {
    tasks,
    environment: {},
    settings: [],
    version: 'bench',
    stateFolder: '/bench-state',
    homeFolder: '/bench-home',
    log: (message) => process.stderr.write(`${message}\n`),
  });
  const publisher = new Publisher(session, (error) => process.stderr.write(`${String(error)}\n`));
  publisher.start();
  return { room: { session, publisher }, close: () => publisher.close() };
}

function timed(run: () => void): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}
