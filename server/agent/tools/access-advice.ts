/** What a command's failure says of the sandbox around it, and how to ask for more. Pure; it never looks at the disk. */
import { parseAskedHost } from '../../policy/host-patterns.ts';
import { visible } from '../../policy/visible.ts';
import { matchesHost } from '../../protocol/hosts.ts';
import { isInside } from '../../protocol/path-inside.ts';
import type { Access } from '../workbench.ts';

const namedMax = 10;

const noName =
  /could not resolve (?:host|proxy)|couldn't resolve host|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|\bEAI_AGAIN\b|temporary failure in name resolution|name or service not known|nodename nor servname|network is unreachable|\bENETUNREACH\b/i;
const noFile = /no such file or directory|permission denied|\bENOENT\b|\bEACCES\b/i;
const absolutePath = /(?:^|[\s'"`(:=])(\/[^\s'"`:;,()<>|&]+)/g;
/** Commands see these as they are: what is missing there is missing. */
const visibleFolders =
  '/usr /bin /sbin /lib /lib32 /lib64 /libx32 /etc /opt /nix /gnu /snap /tmp /var/tmp /proc /sys /dev /run'.split(' ');

type Ended = {
  output: string;
  refusedHosts: readonly string[];
  access: Access;
  /** For this command, beyond `access`: host patterns and absolute paths. */
  opened: { hosts: readonly string[]; paths: readonly string[] };
  /** The workspace. */
  root: string | undefined;
  /** All there is of it, where it has several folders. */
  folders?: readonly string[];
};

/** One sentence for each thing that is closed and mattered; undefined where there is nothing to say. */
export function accessAdvice(ended: Ended): string | undefined {
  const sentences = [networkAdvice(ended), readAdvice(ended)].filter((sentence) => sentence !== undefined);
  return sentences.length > 0 ? sentences.join('\n') : undefined;
}

function networkAdvice({ output, refusedHosts, access, opened }: Ended): string | undefined {
  const { network, approvalPolicy } = access;
  if (network === 'full') return undefined;
  const refused = refusedHosts.slice(0, namedMax);
  if (refused.length === 0 && !noName.test(output)) return undefined;
  const open = [...(network === 'off' ? [] : network), ...opened.hosts];
  const what =
    refused.length > 0
      ? `The network is closed to ${refused.map(visible).join(', ')}.`
      : open.length === 0
        ? 'The network is off.'
        : `The network is open to ${open.join(', ')} only.`;
  // What is allowed and was refused all the same leads to a private address; so does what cannot be asked for.
  const askable = refused.filter((host) => !matchesHost(open, host) && 'pattern' in parseAskedHost(host));
  if (refused.length > 0 && askable.length === 0)
    return `${what} It stays so: the sandbox reaches public hosts only. Do without.`;
  if (approvalPolicy === 'never') return `${what} It cannot be opened: the approval policy is never. Do without it.`;
  const names = (askable.length > 0 ? askable : ['example.com']).map((host) => JSON.stringify(host)).join(', ');
  const which = askable.length > 0 ? '' : ', with the hosts that it needs';
  return `${what} If the command cannot do without, call shell again with "network": {"hosts": [${names}], "reason": "…"}${which}: the user is asked.`;
}

function readAdvice({ output, access, opened, root, folders }: Ended): string | undefined {
  const workspace = folders ?? (root === undefined ? [] : [root]);
  const known = [...visibleFolders, ...opened.paths, ...workspace];
  const isOutside = (path: string) => !known.some((folder) => isInside(path, folder));
  const isNamed = output
    .split('\n')
    .filter((line) => noFile.test(line))
    .some((line) => [...line.matchAll(absolutePath)].some(([, path]) => path !== undefined && isOutside(path)));
  if (!isNamed) return undefined;
  const what = 'Nothing outside of the workspace but the system’s own folders is there for a command.';
  if (access.approvalPolicy === 'never')
    return `${what} It cannot be opened: the approval policy is never. Do without it.`;
  return `${what} If it must read a path outside, call shell again with "read": {"paths": ["/…"], "reason": "…"}: the user is asked.`;
}
