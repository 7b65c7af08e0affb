/** What the strict model can answer beyond a plain response: faults, gates, and answers made from the request. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Answer,
  eventText,
  patch as freeformPatch,
  responseEvents,
  say,
  type WireEvent,
} from '../../server/cli/demo/scripted-answers.ts';
import type { RequestBody } from './model-request.ts';

export type ScriptedAnswer = Answer | Fault | Gate | ((body: RequestBody) => ScriptedAnswer | Promise<ScriptedAnswer>);

/** Bytes on the wire. `drop`: the socket is destroyed after them; `hang`: nothing follows until somebody closes. */
export type Reply = {
  status: number;
  headers: Record<string, string>;
  chunks: string[];
  ending: 'end' | 'drop' | 'hang';
};
export type Fault = { fault: (id: string) => Reply };

const stream = (events: readonly WireEvent[], ending: Reply['ending'] = 'end', tail: string[] = []): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  chunks: [...events.map(eventText), ...tail],
  ending,
});

/** Of a response that says this, the events up to the last delta: an answer that broke off. */
const begun = (answer: Answer, id: string): WireEvent[] => {
  const events = responseEvents(answer, id);
  return events.slice(0, events.findLastIndex((event) => event.type.endsWith('.delta')) + 1);
};

const opened = (id: string): WireEvent[] => responseEvents([], id).slice(0, 2);
const halfSaid = say('I was about to say something that nobody should');

export const failure = {
  /** Any HTTP answer; a body that is no string is sent as JSON. */
  http: (status: number, options: { headers?: Record<string, string>; body?: unknown } = {}): Fault => ({
    fault: () => {
      const body = options.body ?? {
        error: { message: `scripted ${status}`, type: 'scripted', code: null, param: null },
      };
      return {
        status,
        headers: { 'content-type': 'application/json', ...options.headers },
        chunks: [typeof body === 'string' ? body : JSON.stringify(body)],
        ending: 'end',
      };
    },
  }),
  /** The connection is reset before a byte of an answer. */
  reset: (): Fault => ({ fault: () => ({ status: 0, headers: {}, chunks: [], ending: 'drop' }) }),
  /** The connection breaks after part of the answer. */
  drop: (answer: Answer = halfSaid): Fault => ({ fault: (id) => stream(begun(answer, id), 'drop') }),
  /** Part of the answer, then silence on an open connection. */
  hang: (answer: Answer = halfSaid): Fault => ({ fault: (id) => stream(begun(answer, id), 'hang') }),
  /** An event that is no JSON, after part of the answer. */
  malformed: (): Fault => ({
    fault: (id) => stream(begun(halfSaid, id), 'end', ['event: response.output_text.delta\ndata: {"type": "resp\n\n']),
  }),
  /** All of the answer, but the stream ends without `response.completed`. */
  noCompleted: (answer: Answer = halfSaid): Fault => ({
    fault: (id) => stream(responseEvents(answer, id).slice(0, -1)),
  }),
  failed: (code: string, message: string): Fault => ({
    fault: (id) =>
      stream([
        ...opened(id),
        {
          type: 'response.failed',
          response: { id: `resp_${id}`, status: 'failed', error: { code, message }, usage: null },
        },
      ]),
  }),
  incomplete: (reason: string, answer: Answer = halfSaid): Fault => ({
    fault: (id) =>
      stream([
        ...begun(answer, id),
        {
          type: 'response.incomplete',
          response: { id: `resp_${id}`, status: 'incomplete', incomplete_details: { reason } },
        },
      ]),
  }),
  /** An `error` event in the stream: flat as documented, or nested as servers also send it. */
  error: (code: string, message: string, form: 'flat' | 'nested' = 'flat'): Fault => ({
    fault: (id) =>
      stream([
        ...opened(id),
        form === 'flat'
          ? { type: 'error', code, message, param: null }
          : { type: 'error', error: { type: code, code, message, param: null } },
      ]),
  }),
  /** A stream of exactly these events. */
  events: (...events: readonly WireEvent[]): Fault => ({ fault: () => stream(events) }),
};

export type Gate = {
  gated: ScriptedAnswer;
  /** How many events of the answer are sent at once; 0: not even the status line. */
  eventsBefore: number;
  /** Resolves with the request that reached the gate. */
  arrived: Promise<RequestBody>;
  /** Resolves when the client went away before the gate was opened. */
  abandoned: Promise<void>;
  /** Lets the (rest of the) answer through. */
  open: () => void;
  /** For the model: called as the request comes and goes. */
  on: { arrive: (body: RequestBody) => void; abandon: () => void; opened: Promise<void> };
};

/** Holds an answer back until the test opens the gate, after `eventsBefore` of its events. */
export function gate(gated: ScriptedAnswer, options: { eventsBefore?: number } = {}): Gate {
  const arrival = Promise.withResolvers<RequestBody>();
  const leave = Promise.withResolvers<void>();
  const opening = Promise.withResolvers<void>();
  return {
    gated,
    eventsBefore: options.eventsBefore ?? 0,
    arrived: arrival.promise,
    abandoned: leave.promise,
    open: opening.resolve,
    on: { arrive: arrival.resolve, abandon: leave.resolve, opened: opening.promise },
  };
}

/** Any answer as bytes, and the gate it stands behind. */
export async function replyOf(
  answer: ScriptedAnswer,
  body: RequestBody,
  id: string,
): Promise<{ reply: Reply; gate?: Gate }> {
  if (typeof answer === 'function') return replyOf(await answer(body), body, id);
  if ('gated' in answer) return { reply: (await replyOf(answer.gated, body, id)).reply, gate: answer };
  if ('fault' in answer) return { reply: answer.fault(id) };
  return { reply: stream(responseEvents(answer, id, 100)) };
}

/**
 * A patch as one answer. `patch('a.txt', '-one', '+ONE')` updates; lines begin with space, `-`, `+` or `@@` (the first
 * `@@` may be left out). One argument is the whole patch, from `*** Begin Patch` on.
 */
export function patch(path: string, ...lines: readonly string[]): Answer {
  if (path.startsWith('*** Begin Patch')) return freeformPatch(path);
  const hunks = lines[0]?.startsWith('@@') ? lines : ['@@', ...lines];
  return freeformPatch(patchText(`*** Update File: ${path}`, ...hunks));
}
patch.add = (path: string, text: string): Answer =>
  freeformPatch(
    patchText(
      `*** Add File: ${path}`,
      ...text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `+${line}`),
    ),
  );
patch.delete = (path: string): Answer => freeformPatch(patchText(`*** Delete File: ${path}`));
patch.move = (from: string, to: string, ...lines: readonly string[]): Answer => {
  const hunks = lines.length === 0 || lines[0]?.startsWith('@@') ? lines : ['@@', ...lines];
  return freeformPatch(patchText(`*** Update File: ${from}`, `*** Move to: ${to}`, ...hunks));
};

const patchText = (...lines: readonly string[]): string => ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');

/** Fails rather than waits for ever: for a promise that a broken product would never settle. */
export async function soon<T>(promise: Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  const stop = new AbortController();
  const late = wait(timeoutMs, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new Error(`Not within ${timeoutMs} ms: ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
