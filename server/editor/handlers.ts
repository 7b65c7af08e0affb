/** What each custom request does: the table of contents of this room. */

import { realpath } from 'node:fs/promises';
import { homeFolderOf } from '../protocol/folders.ts';
import { type MethodName, methods, type Params, type Result } from '../protocol/methods.ts';
import type { Approval, Grant } from '../protocol/thread.ts';
import { InvalidParams, Refusal } from '../task/refusal.ts';
import { redoHunk } from './conflict-actions.ts';
import { checked } from './from-lsp.ts';
import { plural } from './one-line.ts';
import { openReview } from './review-file.ts';
import { applyEdited, sendComments } from './review-text.ts';
import type { Session } from './session.ts';
import { removeShown } from './shown-files.ts';
import { startTask } from './start-task.ts';
import { openTaskDocument } from './task-documents.ts';
import { distinct, threadOf, threadsOfWorkspace } from './threads.ts';
import { pathOf } from './uri.ts';

type Handlers = { readonly [M in MethodName]: (session: Session, params: Params<M>) => Promise<Result<M>> };

/** Each answers at once; accept, applyEdited and undo when the outcome was verified. Throws `Refusal` or `InvalidParams`. */
export const handlers: Handlers = {
  'codex/runTask': runTask,
  'codex/steer': async (session, params) => session.tasks.steer(await activeThread(session, params), params.text),
  'codex/cancel': async (session, params) => session.tasks.cancel(await activeThread(session, params)),
  'codex/approvals': async (session, { threadId }) => ({ approvals: await approvalsOf(session, threadId) }),
  'codex/approve': async (session, params) => {
    await session.settled();
    return session.tasks.approve(params, session.face);
  },
  'codex/grants': async (session, params) => ({ grants: await grantsOf(session, params) }),
  'codex/revoke': async (session, { grantId }) => {
    await session.tasks.revoke(grantId);
    return {};
  },
  'codex/changeset': async (session, params) => {
    await session.settled();
    return session.tasks.changeset(await threadOf(session, params), session.documents);
  },
  'codex/openReview': async (session, params) => openReview(session, await threadOf(session, params), params.hunk),
  'codex/accept': async (session, params) => (await accept(session, params)).result,
  'codex/applyEdited': async (session, params) => (await applyEdited(session, params)).result,
  'codex/sendComments': sendComments,
  'codex/redoHunk': redoHunk,
  'codex/reject': async (session, params) => {
    await session.settled();
    const { hunks, files, comment } = params;
    return session.tasks.reject(await threadOf(session, params), { hunks, files, comment }, session.documents);
  },
  'codex/undo': async (session, params) => (await undo(session, params)).result,
  'codex/threads': async (session, { root, ...query }) => {
    const path = root === undefined ? undefined : (pathOf(root) ?? root);
    return session.tasks.list({ ...query, root: path && (await realpath(path).catch(() => path)) });
  },
  'codex/thread': (session, { threadId, since }) => session.tasks.thread(threadId, since),
  'codex/fork': async (session, params) => {
    const forked = await session.tasks.fork(await threadOf(session, params), params.turnId);
    session.lastThread = forked.threadId;
    return forked;
  },
  'codex/rename': async (session, { threadId, title }) => {
    await session.tasks.rename(threadId, title);
    return {};
  },
  'codex/archive': async (session, { threadId, archived }) => {
    await session.tasks.archive(threadId, archived ?? true);
    return {};
  },
  'codex/delete': async (session, { threadId }) => {
    const workspace = await session.tasks.workspaceOf(threadId).catch(() => undefined);
    await session.tasks.delete(threadId);
    session.forget(threadId);
    if (workspace)
      await removeShown(homeFolderOf(workspace), threadId).catch((error) => session.skipped('codex/delete', error));
    return {};
  },
  'codex/status': async (session) => {
    await session.folders.settled();
    const unsandboxed = session.settings.sandbox.dangerouslyUnsandboxed;
    const [root, ...others] = await session.folders.delegating();
    const sandbox = await session.tasks.sandbox({ root, others, unsandboxed });
    return {
      threads: await threadsOfWorkspace(session, 50),
      approvals: await approvalsOf(session, undefined),
      model: session.settings.model,
      sandbox: { kind: sandbox.kind, reason: 'reason' in sandbox ? sandbox.reason : undefined },
    };
  },
};

/** Answers before the outcome is known; `result` never rejects. */
export async function accept(session: Session, params: Params<'codex/accept'>): ReturnType<Session['tasks']['accept']> {
  await session.settled();
  const { hunks, files, overMine } = params;
  if (overMine && (!hunks || files)) {
    throw new InvalidParams('overMine: only with hunks, and without files: name the conflicting hunks that it is for.');
  }
  return session.tasks.accept(await threadOf(session, params), { hunks, files, overMine }, session.face);
}

/** As `accept`. */
export async function undo(session: Session, params: Params<'codex/undo'>): ReturnType<Session['tasks']['undo']> {
  await session.settled();
  return session.tasks.undo(await threadOf(session, params), session.face, { redo: params.redo });
}

/** The parameters by the method's schema. Throws `InvalidParams` that names the first wrong field by its path. */
export function parseParams<M extends MethodName>(method: M, params: unknown): Params<M>;
export function parseParams(method: MethodName, params: unknown): unknown {
  // By position, as some JSON-RPC libraries send what they were given.
  const given: unknown = Array.isArray(params) && params.length <= 1 ? params[0] : params;
  return checked<unknown>(methods[method].params, given ?? {}, method);
}

export const isMethod = (method: string): method is MethodName => Object.hasOwn(methods, method);

/** The status as one line. */
export function statusLine({ threads, approvals, model, sandbox }: Result<'codex/status'>): string {
  const count = (status: string): number => threads.filter((thread) => thread.status === status).length;
  const asked = approvals.filter(({ kind }) => kind !== 'changes').length;
  const parts = [
    `${count('running') + count('waitingForApproval')} running`,
    `${count('inReview')} to review`,
    asked > 0 ? `${plural(asked, 'question')} to answer` : '',
    `model ${model}`,
    sandbox.kind === 'none' ? `no sandbox: ${sandbox.reason ?? 'run codex-lsp doctor'}` : `sandbox ${sandbox.kind}`,
  ];
  return `Codex: ${parts.filter((part) => part !== '').join(' · ')}`;
}

async function runTask(session: Session, params: Params<'codex/runTask'>): Promise<Result<'codex/runTask'>> {
  const prompt = params.prompt?.trim();
  if (prompt === '') throw new InvalidParams('prompt: it is empty; leave it out to write the task in a document.');
  if (prompt !== undefined) return startTask(session, { ...params, prompt });
  const { threadId, textDocument } = params;
  await session.settled();
  const document = textDocument && session.documents.pathOf(textDocument.uri);
  const root = threadId
    ? homeFolderOf(await session.tasks.workspaceOf(threadId))
    : await session.folders.rootFor({ root: params.root, document });
  const isAlone = params.root !== undefined;
  return openTaskDocument(session, root, { uri: textDocument?.uri, range: params.range, threadId, isAlone });
}

/** Known to this process, running or not. */
async function activeThread(session: Session, params: { threadId?: string }): Promise<string> {
  const threadId = await threadOf(session, params, 'active');
  await session.tasks.rootOf(threadId);
  return threadId;
}

/** Of one thread, or of all of the workspace. */
async function approvalsOf(session: Session, threadId: string | undefined): Promise<Approval[]> {
  if (threadId) {
    await session.tasks.rootOf(threadId);
    return session.tasks.approvals({ threadId });
  }
  await session.folders.settled();
  const waiting = session.folders.roots().map((root) =>
    session.tasks.waiting({ root }).catch((error): Approval[] => {
      session.skipped(`the approvals of ${root}`, error);
      return [];
    }),
  );
  return distinct((await Promise.all(waiting)).flat(), ({ approvalId }) => approvalId);
}

/** Of the thread that is meant; of all of the workspace where none is. */
async function grantsOf(session: Session, params: { threadId?: string }): Promise<Grant[]> {
  const threadId = await threadOf(session, params).catch((error: unknown) => {
    if (error instanceof Refusal && error.reason === 'unknownThread') return undefined;
    throw error;
  });
  if (threadId !== undefined) return session.tasks.grants({ threadId });
  await session.folders.settled();
  const given = await Promise.all(session.folders.roots().map((root) => session.tasks.grants({ root })));
  return distinct(given.flat(), ({ grantId }) => grantId);
}
