/** Leave to do something: by the policy, by an earlier yes for the thread, or by asking now. */
import { realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import type { Permission } from '../agent/workbench.ts';
import { type Action, assess } from '../policy/assess.ts';
import { bounded, visible } from '../policy/visible.ts';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import type { Grant } from '../protocol/thread.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import type { Approvals, Question } from './approvals.ts';
import { isPlainGit } from './plain-git.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { policyOf } from './sandbox-policy.ts';
import type { Slot } from './slots.ts';

const reasonCharsMax = 500;

export async function permit(
  action: Action,
  options: {
    record: ThreadRecord;
    copy: ThreadCopy;
    request: TaskRequest;
    turnId: string;
    approvals: Approvals;
    slot: Slot;
    signal: AbortSignal;
  },
): Promise<Permission> {
  const { record, copy, request, turnId, approvals, slot, signal } = options;
  const isCareful = action.kind === 'command' && request.settings.approvalPolicy === 'untrusted';
  const { grants } = record.state;
  const policy = policyOf(request, grants, {
    // `threads/<id>` in the state folder.
    hidden: [dirname(dirname(record.folder)), ...(await secretsAmong(action, copy, request))],
    gitIsPlain: isCareful && (await isPlainGit(copy.layers)),
  });
  const assessment = assess(action, policy);
  const isAllowed = assessment.decision === 'allow' || grants.some((grant) => covers(grant, action));
  if (!isAllowed && assessment.decision === 'deny') return { allowed: false, reason: assessment.reason };
  const elsewhere = action.kind === 'read' ? await notAsWritten(action.paths, request) : undefined;
  if (elsewhere) return { allowed: false, reason: elsewhere };
  if (isAllowed || assessment.decision !== 'ask') return { allowed: true };
  const { title, detail } = assessment;
  const question = questionOf(action, { turnId, title, detail });
  const decision = await slot.away(() => approvals.ask(record, question, signal));
  switch (decision) {
    case 'accept':
    case 'acceptForThread':
      return { allowed: true };
    case 'decline':
      return {
        allowed: false,
        reason: 'The user declined this. Do not try it another way; go on without it, or say what you need.',
      };
    case 'cancel':
    case 'withdrawn':
      return { allowed: false, reason: 'The user declined this and stopped the turn.', stopTurn: true };
  }
}

/** A yes for the thread covers exactly what was shown: that command in that folder. */
const covers = (grant: Grant, action: Action): boolean =>
  action.kind === 'command' && grant.kind === 'command' && grant.command === action.command && grant.cwd === action.cwd;

/** What is hidden in the copy is opened by no yes: only the user's own settings name it. */
async function secretsAmong(action: Action, copy: ThreadCopy, workspace: Workspace): Promise<string[]> {
  if (action.kind !== 'read') return [];
  const inside = action.paths.filter((path) => holdsPath(workspace, path) && !foldersOf(workspace).includes(path));
  const areHidden = await Promise.all(inside.map((path) => copy.hides(relative(workspace.root, path))));
  return inside.filter((_, index) => areHidden[index]);
}

/** What is asked for is what is opened: a path that leads elsewhere must be asked for by its own name. */
async function notAsWritten(paths: readonly string[], workspace: Workspace): Promise<string | undefined> {
  for (const path of paths) {
    if (holdsPath(workspace, path)) continue;
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return `There is nothing to read at ${path}.`;
    if (real !== path) return `${path} leads to ${real}; ask for that path by its own name.`;
  }
  return undefined;
}

function questionOf(action: Action, about: Pick<Question, 'turnId' | 'title' | 'detail'>): Question {
  switch (action.kind) {
    case 'command':
      return { ...about, kind: 'command', command: action.command, cwd: action.cwd };
    case 'network':
      return { ...about, kind: 'network', command: action.command, hosts: [...action.hosts], reason: said(action) };
    case 'read':
      return { ...about, kind: 'read', command: action.command, paths: [...action.paths], reason: said(action) };
    case 'patch':
      return { ...about, kind: 'changes' };
  }
}

/** The model's own words, for a person to read. */
const said = ({ reason }: { reason: string }): string => bounded(visible(reason), reasonCharsMax);
