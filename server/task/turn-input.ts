/** What a new turn adds to the conversation: changed surroundings, what became of earlier work, and the user's message. */
import { lstat, open, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { agentsMdBytesMax, collectAgentsMd } from '../agent/agents-md.ts';
import {
  agentsMdContext,
  contextUpdates,
  type Environment,
  environmentContext,
  hasAgentsMd,
  noAgentsMd,
  reviewContext,
  taskMessage,
} from '../agent/context.ts';
import type { Review } from '../changeset/review-types.ts';
import type { ConversationItem } from '../model/model.ts';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import type { ThreadState } from '../thread/state.ts';
import { isTrustedAbove } from '../workspace/git-folder.ts';
import { userState } from '../workspace/snapshot.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import type { TaskRequest } from './ports.ts';
import { textsUnder } from './review.ts';
import { openNetwork } from './sandbox-policy.ts';

/**
 * `before`: the thread as it was when the turn was asked for; `reviewed`: its review at that moment.
 */
export async function openTurnInput(options: {
  request: TaskRequest;
  copy: ThreadCopy;
  history: readonly ConversationItem[];
  before: ThreadState;
  reviewed: Review | undefined;
}): Promise<ConversationItem[]> {
  const { request, copy, history, before, reviewed } = options;
  const { settings, root, folders } = request;
  const isolation = isolationOf(settings);
  const environment = environmentContext({
    root,
    folders: folders?.map((folder) => relative(root, folder)),
    os: process.platform,
    shell: '/bin/bash',
    network: isolation === 'none' ? 'full' : openNetwork(settings, before.grants),
    sandbox: isolation === 'none' ? 'workspace' : settings.sandbox.mode,
    isolation,
    date: today(),
  });
  // A relative one would be looked for in whatever folder the server runs in, and that may be the workspace.
  const named = request.environment.CODEX_HOME;
  const codexHome = named && isAbsolute(named) ? named : join(homedir(), '.codex');
  const agentsMd = agentsMdContext(
    await collectAgentsMd({
      codexHome,
      root,
      folders,
      read: readerFor(request, copy, codexHome),
      exists: (path) => isThere(request, path),
    }),
  );
  const review = reviewContext({
    lastTurn: before.turns.at(-1)?.status,
    events: before.reviewEvents,
    pending: pathsWith(reviewed, 'pending'),
    conflicting: pathsWith(reviewed, 'conflicting'),
  });
  return [
    ...contextUpdates(history, [environment, agentsMd ?? (hasAgentsMd(history) ? noAgentsMd : undefined)]),
    ...(review ? [review] : []),
    taskMessage({ prompt: request.prompt, mode: request.mode, attachments: request.attachments }),
  ];
}

/** By what is asked for and where: what this machine can do is found out with the first command, and changes no path. */
function isolationOf({ sandbox }: TaskRequest['settings']): Environment['isolation'] {
  if (sandbox.dangerouslyUnsandboxed) return 'none';
  return process.platform === 'darwin' ? 'seatbelt' : 'namespaces';
}

/** In the user's own time zone: what they would call today. */
function today(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

const pathsWith = (review: Review | undefined, status: 'pending' | 'conflicting'): string[] =>
  (review?.files ?? []).filter(({ hunks }) => hunks.some((hunk) => hunk.status === status)).map(({ path }) => path);

/**
 * Instructions are read as the user has them, and never through a link: what a hostile repository could point at with
 * one would be sent to the model. What `.codexignore` names is not read either.
 */
function readerFor(
  { documents, ...workspace }: TaskRequest,
  copy: ThreadCopy,
  codexHome: string,
): (path: string) => Promise<string | undefined> {
  const { root } = workspace;
  const buffers = textsUnder(documents, root);
  return async (path) => {
    if (holdsPath(workspace, path)) {
      if (await copy.hides(relative(root, path))) return undefined;
      const state = await userState(root, relative(root, path), buffers);
      return state.kind === 'text' ? state.text : undefined;
    }
    // The user's own may be a link, as managers of dotfiles make them.
    const isOwn = dirname(path) === codexHome;
    if (!isOwn && !(await isTrustedAboveOne(workspace, path))) return undefined;
    const stats = await (isOwn ? stat(path) : lstat(path)).catch(() => undefined);
    return stats?.isFile() ? beginningOf(path) : undefined;
  };
}

/** Of a `.git`, which makes its folder the project's root: above the workspace, only where nobody else could put it. */
async function isThere(workspace: Workspace, path: string): Promise<boolean> {
  if (!holdsPath(workspace, path)) return isTrustedAboveOne(workspace, path);
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function isTrustedAboveOne(workspace: Workspace, path: string): Promise<boolean> {
  for (const folder of foldersOf(workspace)) if (await isTrustedAbove(folder, path)) return true;
  return false;
}

/** As much of a file as could be used, and a little more, so that the cut is seen. */
async function beginningOf(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(agentsMdBytesMax + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return undefined;
  }
}
