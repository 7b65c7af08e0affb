/** What a command needs for the hosts it may reach: the proxy outside, the socket, the variables and the forwarder inside. */
import { parseHostPattern } from '../../protocol/hosts.ts';
import type { SandboxPolicy } from '../types.ts';
import { forwarderThreadsMax, forwarderWrapper, proxyEnvironment, proxySocketInside } from './forwarder.ts';
import type { Internet } from './internet.ts';

export type CommandNetwork = {
  /** Of bwrap. */
  binds: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Stands before the command and its arguments. */
  wrapper: readonly string[];
  /** Processes beyond those of the command. */
  processes: number;
  /** Whether the command can have run: it waits until the proxy was reached. */
  readonly wasReached: boolean;
  readonly refusedHosts: readonly string[];
  close(): Promise<void>;
};

type Refusal = { reason: string; remedy: string };

/** No cost where it is off or full: the list is what it takes. `hasNode`: the server's Node can be run in the sandbox. */
export async function openCommandNetwork(options: {
  network: SandboxPolicy['network'];
  hasNode: boolean;
  owner?: { uid: number; gid: number };
  internet?: Internet;
}): Promise<CommandNetwork | Refusal | undefined> {
  const { network, hasNode, owner } = options;
  if (typeof network === 'string' || network.length === 0) return undefined;
  if (!hasNode) return refusal('The Node that runs codex-lsp is not to be found, and the sandbox needs it.');
  const parsed = network.map(parseHostPattern);
  const patterns = parsed.flatMap((entry) => ('pattern' in entry ? [entry.pattern] : []));
  // Loaded where there is a list: most commands have none.
  const [{ openProxy }, { internet }] = await Promise.all([import('./proxy.ts'), import('./internet.ts')]);
  try {
    const proxy = await openProxy({ patterns, internet: options.internet ?? internet, owner });
    return {
      binds: ['--ro-bind', proxy.socket, proxySocketInside],
      environment: proxyEnvironment,
      wrapper: forwarderWrapper,
      processes: forwarderThreadsMax,
      get wasReached() {
        return proxy.wasReached;
      },
      get refusedHosts() {
        return proxy.refusedHosts;
      },
      close: () => proxy.close(),
    };
  } catch (error) {
    return refusal(`The proxy has no socket: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** It was started and said nothing: what it is made of did not fit into the policy. */
export const notReached: Refusal = {
  reason: 'The way to the allowed hosts (setting sandbox.network) could not be opened in the sandbox.',
  remedy:
    'Give commands more memory and processes (sandbox.memoryMiB, sandbox.processes), or set sandbox.network to off.',
};

const refusal = (reason: string): Refusal => ({
  reason: `The way to the allowed hosts (setting sandbox.network) can't be opened. ${reason}`,
  remedy: 'Mend that, or set sandbox.network to off.',
});
