/** `workspace/executeCommand`: the twin of every request, and what code actions need beside them. */

import { commandOf, type MethodName, methods } from '../protocol/methods.ts';
import { decisionSchema } from '../protocol/thread.ts';
import { InvalidParams } from '../task/refusal.ts';
import { grantsLine } from './announce.ts';
import { runComment, runFix } from './canned-tasks.ts';
import { accept, handlers, parseParams, statusLine, undo } from './handlers.ts';
import { applyEdited } from './review-text.ts';
import type { Session } from './session.ts';
import { runTaskDocument } from './task-documents.ts';

type Command = (session: Session, params: unknown) => Promise<unknown>;

/** Twins that do not simply answer what the request answers. */
const twins: Partial<Record<MethodName, Command>> = {
  // The outcome comes as an event, and as a message line made of that event.
  'codex/accept': async (session, params) => ({
    applyId: (await accept(session, parseParams('codex/accept', params))).applyId,
  }),
  'codex/applyEdited': async (session, params) => ({
    applyId: (await applyEdited(session, parseParams('codex/applyEdited', params))).applyId,
  }),
  'codex/undo': async (session, params) => ({
    applyId: (await undo(session, parseParams('codex/undo', params))).applyId,
  }),
  'codex/grants': async (session, params) => {
    const answer = await handlers['codex/grants'](session, parseParams('codex/grants', params));
    session.client.show('info', grantsLine(answer.grants));
    return answer;
  },
  'codex/status': async (session, params) => {
    const status = await handlers['codex/status'](session, parseParams('codex/status', params));
    session.client.show('info', statusLine(status));
    return status;
  },
};

/** For a key that can't give `{ redo: true }`. */
const redo: Command = async (session, params) => ({
  applyId: (await undo(session, { ...parseParams('codex/undo', params ?? {}), redo: true })).applyId,
});

/** For code actions: their argument is one object that the action made. */
const internal: Readonly<Record<string, Command>> = {
  'codex.redo': redo,
  'codex.runComment': runComment,
  'codex.fix': runFix,
  'codex.runTaskDocument': async (session, params) => {
    const uri = typeof params === 'object' && params !== null && 'uri' in params ? String(params.uri) : '';
    const started = await runTaskDocument(session, uri);
    if (!started)
      session.client.show('warning', 'Codex: there is no task in this document yet; write it below the comment.');
    return started ?? null;
  },
};

const byName: ReadonlyMap<string, MethodName> = new Map(methodNames().map((method) => [commandOf(method), method]));

export const commandNames: readonly string[] = [...byName.keys(), ...Object.keys(internal)];

/** Throws `Refusal`, or `InvalidParams` also for an unknown command. */
export async function executeCommand(session: Session, name: string, args: unknown): Promise<unknown> {
  const given: unknown[] = Array.isArray(args) ? args.filter((argument) => argument !== null) : [];
  const ours = Object.hasOwn(internal, name) ? internal[name] : undefined;
  if (ours) return ours(session, given[0]);
  const method = byName.get(name);
  if (!method) throw new InvalidParams(`There is no command ${name}.`);
  const params = paramsOf(method, given);
  const twin = twins[method];
  return twin ? twin(session, params) : run(method, session, params);
}

/** `[params]`, `[]`, `["text"]`, `["many", "words"]`. */
export function paramsOf(method: MethodName, args: readonly unknown[]): unknown {
  const [first] = args;
  if (args.length === 0) return {};
  if (args.length === 1 && typeof first === 'object' && !Array.isArray(first)) return first;
  const spec = methods[method];
  const textParam = 'text' in spec ? spec.text : undefined;
  const words = args.filter((argument) => typeof argument === 'string');
  if (words.length !== args.length) {
    throw new InvalidParams(
      `${commandOf(method)}: expected one object of parameters${textParam ? `, or text for ${textParam}` : ''}.`,
    );
  }
  if (!textParam) throw new InvalidParams(`${commandOf(method)}: takes no text, but one object of parameters.`);
  // codex.approve ID accept
  const last = decisionSchema.safeParse(words.at(-1));
  if (method === 'codex/approve' && words.length === 2 && last.success)
    return { approvalId: words[0], decision: last.data };
  const text = words.join(' ').trim();
  return text === '' ? {} : { [textParam]: text };
}

/** The same way for a request and for its twin. */
export async function run<M extends MethodName>(method: M, session: Session, params: unknown): Promise<unknown> {
  return handlers[method](session, parseParams(method, params));
}

function methodNames(): MethodName[] {
  return Object.keys(methods).filter((name): name is MethodName => Object.hasOwn(methods, name));
}
