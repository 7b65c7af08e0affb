/** Somebody who types in a large file, whose editor asks for code actions and hovers all the while. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { waitedMs } from './waited.ts';

/** By the clock; and of it, what no process on the way had to wait for a processor. */
export type Timed = { clockMs: number; ownMs: number };
export type Typed = { keystrokes: Timed[]; codeActions: Timed[]; hovers: Timed[] };

const codeActionEveryMs = 100;
const hoverEveryMs = 500;

/** `pids`: of all processes between a question and its answer. Types until `end` is called; then all is answered. */
export function startTyping(
  connection: MessageConnection,
  options: { uri: string; lines: number; keysPerSecond: number; pids: readonly number[] },
): { end(): Promise<Typed> } {
  const { uri, lines, keysPerSecond, pids } = options;
  const typed: Typed = { keystrokes: [], codeActions: [], hovers: [] };
  const unanswered = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let version = 1;
  let cursor = { line: 0, character: 2 };

  const ask = (into: Timed[], run: () => Promise<unknown>): void => {
    const [askedAt, waited] = [performance.now(), waitedMs(pids)];
    const answered = run().then(() => {
      const clockMs = performance.now() - askedAt;
      into.push({ clockMs, ownMs: Math.max(0, clockMs - (waitedMs(pids) - waited)) });
      unanswered.delete(answered);
    });
    unanswered.add(answered);
  };

  /** Nothing is answered to a change: the next question, which costs nothing by itself, is answered after it. */
  const press = (): void =>
    ask(typed.keystrokes, async () => {
      version += 1;
      // A sentence here, a sentence there, in the tenth of the file that is the user's.
      cursor = { line: Math.floor((((version >> 6) * 7919) % lines) / 10), character: 2 + (version % 64) };
      const change = { range: { start: cursor, end: cursor }, text: version % 64 === 63 ? '\n' : 'x' };
      await connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version },
        contentChanges: [change],
      });
      await connection.sendRequest('codeAction/resolve', { title: 'after a keystroke' });
    });
  const here = () => ({ textDocument: { uri }, range: { start: cursor, end: cursor } });

  const every = (ms: number, run: (count: number) => void): NodeJS.Timeout => {
    let count = 0;
    return setInterval(() => {
      // What a timer has missed is typed all the same.
      for (const due = Math.floor((performance.now() - startedAt) / ms); count < due; count++) run(count);
    }, ms);
  };
  const timers = [
    every(1000 / keysPerSecond, press),
    every(codeActionEveryMs, () =>
      ask(typed.codeActions, () =>
        connection.sendRequest('textDocument/codeAction', { ...here(), context: { diagnostics: [] } }),
      ),
    ),
    every(hoverEveryMs, () =>
      ask(typed.hovers, () => connection.sendRequest('textDocument/hover', { ...here(), position: cursor })),
    ),
  ];
  return {
    async end() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(unanswered);
      return typed;
    },
  };
}
