/** What the settings and what the user granted come to for one command; values only. */
import type { Policy } from '../policy/assess.ts';
import { holdsPath } from '../protocol/folders.ts';
import { parseHostPattern } from '../protocol/hosts.ts';
import type { Grant } from '../protocol/thread.ts';
import type { SandboxPolicy } from '../sandbox/types.ts';
import type { TaskRequest } from './ports.ts';

/** Opened by a yes of the user, or because the policy has it open already. */
export type Opened = { hosts: readonly string[]; paths: readonly string[] };

/** The network as a command of this thread finds it without asking. */
export function openNetwork(
  { sandbox }: TaskRequest['settings'],
  grants: readonly Grant[],
  more: readonly string[] = [],
): SandboxPolicy['network'] {
  if (sandbox.network === 'full') return 'full';
  const listed = sandbox.network === 'off' ? [] : sandbox.network.map(plain);
  const hosts = [...new Set([...listed, ...grants.flatMap((grant) => grant.hosts ?? []), ...more])];
  return hosts.length > 0 ? hosts : 'off';
}

/** As the settings were checked, none is left as it was written. */
function plain(host: string): string {
  const parsed = parseHostPattern(host);
  return 'pattern' in parsed ? parsed.pattern : host;
}

export function sandboxPolicy(
  { settings, mode, ...workspace }: TaskRequest,
  grants: readonly Grant[],
  opened: Opened,
): SandboxPolicy {
  const { sandbox } = settings;
  const granted = [...grants.flatMap(({ paths }) => paths ?? []), ...opened.paths];
  // The copy stands in the workspace's place: nothing of the user's own tree is ever opened beside it.
  const outside = granted.filter((path) => !holdsPath(workspace, path));
  return {
    mode: mode === 'ask' ? 'readOnly' : sandbox.mode,
    network: openNetwork(settings, grants, opened.hosts),
    readableRoots: [...new Set([...sandbox.readableRoots, ...outside])],
    sockets: sandbox.sockets,
    env: sandbox.env,
    processesMax: sandbox.processes,
    memoryBytesMax: sandbox.memoryMiB * 1024 * 1024,
    diskBytesMax: sandbox.diskMiB * 1024 * 1024,
  };
}

/** What was granted counts as open: only what is not is asked for. */
export function policyOf(
  { settings, mode, root, folders }: TaskRequest,
  grants: readonly Grant[],
  known: Pick<Policy, 'hidden' | 'gitIsPlain'>,
): Policy {
  const { approvalPolicy, sandbox } = settings;
  return {
    approvalPolicy,
    mode: sandbox.mode,
    network: openNetwork(settings, grants),
    root,
    folders,
    readableRoots: [...sandbox.readableRoots, ...grants.flatMap(({ paths }) => paths ?? [])],
    turnMode: mode,
    ...known,
  };
}
