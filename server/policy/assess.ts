/** Whether an action may happen: allow, ask the user, or deny with a reason that the model can use. */
import { foldersOf, holdsPath } from '../protocol/folders.ts';
import { matchesHost } from '../protocol/hosts.ts';
import { isInside, within } from '../protocol/path-inside.ts';
import type { Settings } from '../protocol/settings.ts';
import { parseAskedHost } from './host-patterns.ts';
import { isKnownReadOnly } from './read-only-commands.ts';
import { bounded, visible, visibleLines } from './visible.ts';

/** `cwd`: relative to the workspace. `hosts`: patterns. `paths`: real, absolute. */
export type Action =
  | { kind: 'command'; command: string; cwd: string }
  | { kind: 'network'; hosts: readonly string[]; reason: string; command: string }
  | { kind: 'read'; paths: readonly string[]; reason: string; command: string }
  | { kind: 'patch' };

/** All paths are real and absolute. */
export type Policy = {
  approvalPolicy: Settings['approvalPolicy'];
  mode: Settings['sandbox']['mode'];
  network: 'off' | 'full' | readonly string[];
  /** The workspace. */
  root: string;
  /** All there is of it, where it has several folders. */
  folders?: readonly string[];
  readableRoots: readonly string[];
  /** Never to be read: the state folder, and what a workspace keeps secret. */
  hidden: readonly string[];
  /** `ask` turns answer; they change nothing. */
  turnMode: 'task' | 'ask';
  /** Nothing in the copy's git folder makes git start a program. */
  gitIsPlain: boolean;
};

export type Assessment =
  | { decision: 'allow' }
  /** One line; `detail`: what has no place in it, in full. */
  | { decision: 'ask'; title: string; detail?: string }
  | { decision: 'deny'; reason: string };

const titleCharsMax = 280;
const detailCharsMax = 4000;
/** Of hosts or paths in one question: a person must be able to see what they say yes to. */
const askedMax = 10;
const askedCharsMax = 1000;

const allow: Assessment = { decision: 'allow' };
const deny = (reason: string): Assessment => ({ decision: 'deny', reason });

export function assess(action: Action, policy: Policy): Assessment {
  switch (action.kind) {
    case 'patch':
      return assessPatch(policy);
    case 'command':
      return assessCommand(action, policy);
    case 'network':
      return assessNetwork(action, policy);
    case 'read':
      return assessRead(action, policy);
  }
}

function assessPatch({ turnMode, mode }: Policy): Assessment {
  if (turnMode === 'ask') return deny('This turn only answers a question: files cannot be changed. Answer in words.');
  if (mode === 'readOnly') return deny('The sandbox is read-only (setting sandbox.mode): files cannot be changed.');
  return allow;
}

/** The copy is harmless, so that only who asked to be asked is asked. */
function assessCommand(
  { command, cwd }: Extract<Action, { kind: 'command' }>,
  { approvalPolicy, gitIsPlain }: Policy,
): Assessment {
  if (approvalPolicy !== 'untrusted') return allow;
  // In a folder further down git may find another repository, with a configuration of its own.
  if (isKnownReadOnly(command, { git: gitIsPlain && cwd === '' })) return allow;
  const line = visible(`Run: ${command.trim()}${cwd === '' ? '' : ` (in ${cwd})`}`);
  const isWhole = line.length <= titleCharsMax && !command.trim().includes('\n');
  return {
    decision: 'ask',
    title: bounded(line, titleCharsMax),
    ...(isWhole ? {} : { detail: bounded(visibleLines(command), detailCharsMax) }),
  };
}

function assessNetwork(
  { hosts, command }: Extract<Action, { kind: 'network' }>,
  { approvalPolicy, network }: Policy,
): Assessment {
  for (const host of hosts) {
    const parsed = parseAskedHost(host);
    if ('problem' in parsed) return deny(parsed.problem);
    if (parsed.pattern !== host) return deny(`${JSON.stringify(host)} is written ${parsed.pattern}.`);
  }
  if (network === 'full') return allow;
  if (hosts.every((host) => matchesHost(network === 'off' ? [] : network, host))) return allow;
  if (approvalPolicy === 'never') {
    return deny(
      `Opening the network needs the user’s approval, and the approval policy is never. ${reachable(network)} Do without the others, or tell the user what you would need them for.`,
    );
  }
  return asked('Open the network to', 'hosts', hosts, command);
}

function assessRead(
  { paths, command }: Extract<Action, { kind: 'read' }>,
  { approvalPolicy, readableRoots, hidden, ...workspace }: Policy,
): Assessment {
  // What is hidden in the workspace is absent in the copy, whatever is opened around it.
  const own = hidden.filter((folder) => !holdsPath(workspace, folder));
  const roots = foldersOf(workspace);
  for (const path of paths) {
    if (hidden.some((folder) => isInside(path, folder)))
      return deny(
        `${path} is hidden from commands: it is codex-lsp’s own, or holds a secret. Nobody can open it here.`,
      );
    if (isTooWide(path) || roots.some((root) => isAround(path, root)) || own.some((folder) => isInside(folder, path))) {
      return deny(
        'The whole file system, /etc as a whole, the folders of the kernel and of running services, and folders around the workspace or around codex-lsp’s own state cannot be opened for reading: name the file or folder that you need.',
      );
    }
    if (visible(path) !== path) return deny('A path with control or invisible characters in it cannot be asked for.');
  }
  if (paths.every((path) => [...roots, ...readableRoots].some((folder) => isInside(path, folder)))) return allow;
  if (approvalPolicy === 'never') {
    return deny(
      'Reading outside the workspace needs the user’s approval, and the approval policy is never. Do without it, or tell the user what you would need it for.',
    );
  }
  return asked('Read', 'paths', paths, command);
}

function asked(what: string, things: string, list: readonly string[], command: string): Assessment {
  const names = list.join(', ');
  if (list.length > askedMax || names.length > askedCharsMax) {
    return deny(
      `That is more than can be asked for at once: name at most ${askedMax} ${things}, of ${askedCharsMax} characters in all.`,
    );
  }
  const count = list.length > 1 ? `${list.length} ${things}: ` : '';
  const detail = `For the command: ${visibleLines(command)}`;
  return { decision: 'ask', title: `${what} ${count}${names}`, detail: bounded(detail, detailCharsMax) };
}

const reachable = (network: 'off' | readonly string[]): string =>
  network === 'off' || network.length === 0
    ? 'The network is off.'
    : `The network is open to ${network.join(', ')} only.`;

/**
 * Sockets of services, other processes and devices are not for reading. Of `/etc` commands see all but the secrets;
 * opening it, or a folder of it that holds one, would show those as well.
 */
const isTooWide = (path: string): boolean =>
  /^\/+$|^\/(proc|sys|dev|run|var\/run)(\/|$)|^\/(etc|etc\/ssl|var)\/?$/.test(path);

/** It holds the path, and is not the path itself. */
const isAround = (folder: string, path: string): boolean => Boolean(within(folder, path));
