/** From a request to everything its chain of processes is started with; or why it can't be. */
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSeen, sandboxArguments } from './argv.ts';
import { commandEnvironment, isInside } from './environment.ts';
import { type Identity, identityFor, mayReach } from './identity.ts';
import { mountableLinks } from './links.ts';
import { knownMachine, type Machine, type Unavailable, unavailable } from './machine.ts';
import { type CommandNetwork, openCommandNetwork } from './network/command-network.ts';
import { boundSockets, emptyFolder, readableFolders } from './sockets.ts';
import { descriptor, type Mounter } from './stage.ts';
import type { CommandRequest, CopyTree } from './types.ts';
import { mountedBefore, mountedByBwrap, outerFirst, type WorkspaceMount, workspaceMounts } from './workspace-mounts.ts';

export type Prepared = {
  machine: Machine;
  mounter: Mounter;
  mounts: readonly WorkspaceMount[];
  bwrapArguments: readonly string[];
  /** Where the strategy is no overlay. */
  tree?: CopyTree;
  /** Open; whoever runs the command closes it. */
  network?: CommandNetwork;
};

/** `toolFolders` only for a machine that is not this one. Throws where the copy's own folders can't be used. */
export async function prepare(
  request: CommandRequest,
  toolFolders?: readonly string[],
): Promise<Prepared | Unavailable> {
  const { layers, policy } = request;
  const { root } = layers;
  const strategy = request.strategy ?? { kind: 'overlay', by: 'unshare' };
  if (strategy.kind !== 'overlay' && strategy.kind !== 'copy') {
    return unavailable(
      strategy.kind === 'none'
        ? strategy
        : { reason: `There are no namespaces for ${strategy.kind}.`, remedy: 'Run: codex-lsp doctor.' },
    );
  }
  const identity = await whoFor(request);
  if ('kind' in identity) return identity;
  const machine = await knownMachine(identity, toolFolders);
  if ('kind' in machine) return machine;
  const { host, tools } = machine;
  const isByBwrap = strategy.kind === 'overlay' && strategy.by === 'bwrap';
  // Root may make namespaces wherever anybody may.
  const mounter: Mounter = identity.isOther
    ? 'root'
    : strategy.kind === 'overlay' && strategy.by === 'unshare'
      ? 'unshare'
      : 'itself';
  if (mounter === 'root' && tools.setpriv === undefined) {
    return unavailable({
      reason: 'The workspace belongs to another user, and this machine has no setpriv to run commands as its owner.',
      remedy: 'Install setpriv (of util-linux), or start codex-lsp as the owner.',
    });
  }
  if (isInside(dirname(host.home), root) && dirname(host.home) !== root) {
    // Commands could move the folders above the place where it is hidden.
    return unavailable({
      reason: `The home folder ${host.home} lies deep in the workspace, where it can not be hidden.`,
      remedy: 'Open a smaller folder.',
    });
  }
  if (mounter === 'itself' && isByBwrap && !host.bwrap.hasOverlay) {
    const { version } = host.bwrap;
    return unavailable({
      reason: `bubblewrap ${version} makes no overlays.`,
      remedy: 'Install bubblewrap 0.11 or newer.',
    });
  }
  const tree = strategy.kind === 'copy' ? await treeOf(request) : undefined;
  const workspace = workspaceMounts(layers, tree);
  const hidden = await hiddenFolders([dirname(layers.upper), ...(request.hidden ?? [])], identity);
  const granted = await readableFolders(policy.readableRoots, { root, hidden, identity });
  const seals = mounter !== 'itself' || isByBwrap;
  const empty = seals && granted.some(({ isFolder }) => isFolder) ? await emptyFolder(layers.upper) : '';
  const sealed = granted.flatMap(({ at, isFolder }): WorkspaceMount[] =>
    seals && isFolder ? [{ kind: 'sealed', at, empty }] : [],
  );
  const readable = granted.map(({ at, isFolder }) => ({
    at,
    words:
      isFolder && isByBwrap && mounter === 'itself'
        ? mountedByBwrap([{ kind: 'sealed', at, empty }], { isReadOnly: true })
        : ['--ro-bind-try', at, at],
  }));
  const isReadOnly = policy.mode === 'readOnly';
  const seenSockets = await boundSockets(policy.sockets, {
    root,
    identity,
    isSeen: (path) => isSeen(path, { host, readable }),
  });
  // The last that is waited for: it has to be closed.
  const network = await openCommandNetwork({
    network: policy.network,
    hasNode: host.node !== undefined,
    owner: identity.isOther ? identity : undefined,
    internet: request.internet,
  });
  if (network && 'reason' in network) return unavailable(network);
  return {
    machine,
    mounter,
    mounts: [...sealed, ...workspace].sort(outerFirst),
    tree,
    network,
    bwrapArguments: sandboxArguments({
      policy,
      host,
      root,
      workspace:
        mounter === 'itself' ? mountedByBwrap(workspace, { isReadOnly }) : mountedBefore(workspace, { isReadOnly }),
      readable,
      sockets: seenSockets,
      cwd: request.cwd,
      hidden,
      environment: {
        ...commandEnvironment({
          environment: request.environment,
          names: policy.env,
          root,
          home: host.home,
          user: host.user,
          hasNode: host.node !== undefined,
        }),
        ...network?.environment,
      },
      binds: network?.binds,
      descriptors: { status: descriptor.status, seccomp: machine.seccomp ? descriptor.seccomp : undefined },
    }),
  };
}

/** Whom the command runs as; what would fail only half-way, or in words that nobody understands, is refused here. */
async function whoFor({ layers, cwd }: CommandRequest): Promise<Identity | Unavailable> {
  const { root, upper } = layers;
  if (!isInside(cwd, root)) throw new Error(`the folder of a command must lie in the workspace: ${cwd}`);
  if (isInside(upper, root)) {
    return unavailable({
      reason: 'The state folder lies inside the workspace.',
      remedy: 'Set CODEX_LSP_STATE_DIR to a folder outside of it, or open a smaller folder.',
    });
  }
  const owner = await stat(root).catch(() => undefined);
  if (!owner?.isDirectory()) {
    return unavailable({ reason: `The workspace ${root} is not there.`, remedy: 'Open a folder that exists.' });
  }
  const identity = await identityFor(owner);
  if (identity === undefined) {
    return unavailable({
      reason: 'The workspace belongs to another user, so its files could not be changed in the copy.',
      remedy: `Start codex-lsp as its owner (user id ${owner.uid}), or change the owner of the folder.`,
    });
  }
  if (!(await mayReach(root, identity))) {
    return unavailable({
      reason: `Commands run as the workspace's owner (user id ${owner.uid}), who can not reach ${root}.`,
      remedy: 'Let the owner enter the folders above it, or change the owner of the folder.',
    });
  }
  return identity;
}

async function treeOf({ layers, tree }: CommandRequest): Promise<CopyTree> {
  if (tree === undefined) throw new Error('a command over a whole copy needs to know where that is');
  return { path: tree.path, links: await mountableLinks(layers.root, tree) };
}

/** The outermost of those that exist and that whoever runs the command could come to. */
async function hiddenFolders(paths: readonly string[], identity: Identity): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  const there = [...new Set(real.filter((path) => path !== undefined))];
  const outermost = there.filter((path) => !there.some((other) => other !== path && isInside(path, other)));
  const reached = await Promise.all(outermost.map((path) => mayReach(dirname(path), identity)));
  return outermost.filter((_, index) => reached[index]);
}
