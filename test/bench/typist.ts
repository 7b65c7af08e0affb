/** Somebody who types in a large file, whose editor asks for code actions and hovers all the while. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { waitedMs } from './waited.ts';

/** By the clock; and of it, what no process on the way had to wait for a processor. */
export type Timed = { clockMs: number; ownMs: number };
/** `keystrokes`: what a change adds to the answer of a question behind it; `afterKeystrokes`: that answer, with all it waits for. */
export type Typed = { keystrokes: Timed[]; afterKeystrokes: Timed[]; codeActions: Timed[]; hovers: Timed[] };

const codeActionEveryMs = 100;
const hoverEveryMs = 500;

type Moment = { clockMs: number; waitedMs: number };

const now = (pids: readonly number[]): Moment => ({ clockMs: performance.now(), waitedMs: waitedMs(pids) });

function between(from: Moment, to: Moment): Timed {
  const clockMs = to.clockMs - from.clockMs;
  return { clockMs, ownMs: Math.max(0, clockMs - (to.waitedMs - from.waitedMs)) };
}

/** `pids`: of all processes between a question and its answer. Types until `end` is called; then all is answered. */
export function startTyping(
  connection: MessageConnection,
  options: { uri: string; lines: number; keysPerSecond: number; pids: readonly number[] },
): { end(): Promise<Typed> } {
  const { uri, lines, keysPerSecond, pids } = options;
  const typed: Typed = { keystrokes: [], afterKeystrokes: [], codeActions: [], hovers: [] };
  const unanswered = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let version = 1;
  let cursor = { line: 0, character: 2 };

  const ask = (into: Timed[], run: () => Promise<unknown>): Promise<void> => {
    const asked = now(pids);
    const answered = run().then(() => {
      into.push(between(asked, now(pids)));
      unanswered.delete(answered);
    });
    unanswered.add(answered);
    return answered;
  };

  /** Nothing is answered to a change: a question that costs nothing by itself stands before it and behind it. */
  const press = (): void => {
    version += 1;
    // A sentence here, a sentence there, in the tenth of the file that is the user's.
    cursor = { line: Math.floor((((version >> 6) * 7919) % lines) / 10), character: 2 + (version % 64) };
    const change = { range: { start: cursor, end: cursor }, text: version % 64 === 63 ? '\n' : 'x' };
    const question = (): Promise<unknown> => connection.sendRequest('codeAction/resolve', { title: 'is it done?' });
    let before: Moment;
    void question().then(() => {
      before = now(pids);
    });
    void connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [change],
    });
    void ask(typed.afterKeystrokes, question).then(() => typed.keystrokes.push(between(before, now(pids))));
  };
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
