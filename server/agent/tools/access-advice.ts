/** What a command's failure says of the sandbox around it, and how to ask for more. Pure; it never looks at the disk. */
import { visible } from '../../policy/visible.ts';
import { matchesHost } from '../../protocol/hosts.ts';
import type { Access } from '../workbench.ts';

const namedMax = 10;

const noName =
  /could not resolve (?:host|proxy)|couldn't resolve host|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|\bEAI_AGAIN\b|temporary failure in name resolution|name or service not known|nodename nor servname|network is unreachable|\bENETUNREACH\b/i;
const noFile = /no such file or directory|permission denied|\bENOENT\b|\bEACCES\b/i;
const absolutePath = /(?:^|[\s'"`(:=])(\/[^\s'"`:;,()<>|&]+)/g;
/** Commands see these as they are: what is missing there is missing. */
const visibleFolders =
  '/usr /bin /sbin /lib /lib32 /lib64 /libx32 /etc /opt /nix /gnu /snap /tmp /var/tmp /proc /sys /dev /run'.split(' ');

/** One sentence for each thing that is closed and mattered; undefined where there is nothing to say. */
export function accessAdvice(ended: {
  output: string;
  refusedHosts: readonly string[];
  access: Access;
  /** Absolute paths that this command could read. */
  paths: readonly string[];
  /** The workspace. */
  root: string | undefined;
}): string | undefined {
  const sentences = [networkAdvice(ended), readAdvice(ended)].filter((sentence) => sentence !== undefined);
  return sentences.length > 0 ? sentences.join('\n') : undefined;
}

function networkAdvice({ output, refusedHosts, access }: Parameters<typeof accessAdvice>[0]): string | undefined {
  const { network, approvalPolicy } = access;
  if (network === 'full') return undefined;
  const refused = refusedHosts.slice(0, namedMax).map(visible);
  if (refused.length === 0 && !noName.test(output)) return undefined;
  const what =
    refused.length > 0
      ? `The network is closed to ${refused.join(', ')}.`
      : network === 'off' || network.length === 0
        ? 'The network is off.'
        : `The network is open to ${network.join(', ')} only.`;
  if (approvalPolicy === 'never') return `${what} It cannot be opened: the approval policy is never. Do without it.`;
  const hosts = refused.filter((host) => !matchesHost(network === 'off' ? [] : network, host));
  const names = (hosts.length > 0 ? hosts : ['example.com']).map((host) => JSON.stringify(host)).join(', ');
  const which = hosts.length > 0 ? '' : ', with the hosts that it needs';
  return `${what} If the command cannot do without, call shell again with "network": {"hosts": [${names}], "reason": "…"}${which}: the user is asked.`;
}

function readAdvice({ output, access, paths, root }: Parameters<typeof accessAdvice>[0]): string | undefined {
  const known = [...visibleFolders, ...paths, ...(root === undefined ? [] : [root])];
  const isOutside = (path: string) => !known.some((folder) => path === folder || path.startsWith(`${folder}/`));
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
