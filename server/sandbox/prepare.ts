/** From a request to everything its chain of processes is started with; or why it can't be. */
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSeen, sandboxArguments } from './argv.ts';
import { commandEnvironment, isInside } from './environment.ts';
import { type Identity, mayReach } from './identity.ts';
import { workspaceIn } from './layers.ts';
import { mountableLinks } from './links.ts';
import { knownMachine, type Machine, type Unavailable, unavailable } from './machine.ts';
import { type CommandNetwork, openCommandNetwork } from './network/command-network.ts';
import { lackOf, notHere, whoFor } from './refusal.ts';
import { boundSockets, covered, emptyFolder, readableFolders, socketsIn } from './sockets.ts';
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
  const { root, folders } = workspaceIn(layers);
  const strategy = request.strategy ?? { kind: 'overlay', by: 'unshare' };
  if (strategy.kind !== 'overlay' && strategy.kind !== 'copy') return notHere(strategy);
  const identity = await whoFor(request);
  if ('kind' in identity) return identity;
  const machine = await knownMachine(identity, toolFolders);
  if ('kind' in machine) return machine;
  const { host } = machine;
  const isByBwrap = strategy.kind === 'overlay' && strategy.by === 'bwrap';
  const isByUnshare = strategy.kind === 'overlay' && strategy.by === 'unshare';
  // Root may make namespaces wherever anybody may.
  const mounter: Mounter = identity.isOther ? 'root' : isByUnshare ? 'unshare' : 'itself';
  const lack = lackOf(machine, { root, folders, mounter, isByBwrap });
  if (lack) return lack;
  const { tree, dead } = strategy.kind === 'copy' ? await treeOf(request) : { dead: [] };
  const workspace = workspaceMounts(layers, tree);
  const own = [layers, ...(layers.others ?? [])].map(({ upper }) => dirname(upper));
  const hidden = await hiddenFolders([...own, ...(request.hidden ?? [])], identity);
  const granted = await readableFolders(policy.readableRoots, { root, folders, hidden, identity });
  const sealer = mounter !== 'itself' ? 'stage' : isByBwrap ? 'bwrap' : undefined;
  const { sealed, readable } = await reading(granted, { sealer, upper: layers.upper });
  const isReadOnly = policy.mode === 'readOnly';
  const seenSockets = await boundSockets(policy.sockets, {
    root,
    folders,
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
      folders,
      workspace: [
        ...(mounter === 'itself'
          ? mountedByBwrap(workspace, { isReadOnly })
          : mountedBefore(workspace, { isReadOnly })),
        ...covered(dead),
      ],
      readable,
      sockets: seenSockets,
      cwd: request.cwd,
      hidden,
      environment: {
        ...commandEnvironment({
          environment: request.environment,
          names: policy.env,
          root,
          folders,
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

/**
 * How folders are read: where an overlay can be made of them, so that no socket in them can be connected to. `sealed`:
 * what comes before bwrap mounts; `readable`: what bwrap does.
 */
async function reading(
  granted: readonly { at: string; isFolder: boolean }[],
  { sealer, upper }: { sealer: 'stage' | 'bwrap' | undefined; upper: string },
): Promise<{ sealed: WorkspaceMount[]; readable: { at: string; words: string[] }[] }> {
  const bound = ({ at }: { at: string }) => ({ at, words: ['--ro-bind-try', at, at] });
  const folders = granted.filter(({ isFolder }) => isFolder);
  if (folders.length === 0) return { sealed: [], readable: granted.map(bound) };
  if (sealer === undefined) {
    const looked = granted.map(async (one) => {
      const dead = one.isFolder ? await socketsIn(one.at) : [];
      return dead ? [{ at: one.at, words: [...bound(one).words, ...covered(dead)] }] : [];
    });
    return { sealed: [], readable: (await Promise.all(looked)).flat() };
  }
  const empty = await emptyFolder(upper);
  const seal = ({ at }: { at: string }): WorkspaceMount => ({ kind: 'sealed', at, empty });
  if (sealer === 'stage') return { sealed: folders.map(seal), readable: granted.map(bound) };
  const words = (mount: WorkspaceMount) => mountedByBwrap([mount], { isReadOnly: true });
  return {
    sealed: [],
    readable: granted.map((one) => (one.isFolder ? { at: one.at, words: words(seal(one)) } : bound(one))),
  };
}

/** `dead`: sockets in the folders of the user's that commands see as they are. */
async function treeOf({ layers, tree }: CommandRequest): Promise<{ tree: CopyTree; dead: string[] }> {
  if (tree === undefined) throw new Error('a command over a whole copy needs to know where that is');
  const { others: further = [], ...first } = tree;
  const { links, dead } = await linksOf(layers, first);
  const others = await Promise.all(further.map(async (other) => ({ other, shown: await linksOf(other, other) })));
  return {
    tree: {
      ...first,
      links,
      ...(others.length === 0 ? {} : { others: others.map(({ other, shown }) => ({ ...other, links: shown.links })) }),
    },
    dead: [...dead, ...others.flatMap(({ shown }) => shown.dead)],
  };
}

/** Of one folder of the workspace. */
async function linksOf(
  { root, beside = [] }: Pick<CommandRequest['layers'], 'root'> & { beside?: readonly { root: string }[] },
  tree: CopyTree,
): Promise<{ links: string[]; dead: string[] }> {
  const links = await mountableLinks(root, tree);
  const inLinks = await Promise.all(links.map((link) => socketsIn(join(root, link))));
  const others = beside.filter((folder) => !tree.beside?.some((copy) => copy.root === folder.root));
  const inOthers = await Promise.all(others.map((folder) => socketsIn(folder.root)));
  return {
    links: links.filter((_, index) => inLinks[index]),
    dead: [...inLinks, ...inOthers].flatMap((sockets) => sockets ?? []),
  };
}

/** The outermost of those that exist and that whoever runs the command could come to. */
async function hiddenFolders(paths: readonly string[], identity: Identity): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  const there = [...new Set(real.filter((path) => path !== undefined))];
  const outermost = there.filter((path) => !there.some((other) => other !== path && isInside(path, other)));
  const reached = await Promise.all(outermost.map((path) => mayReach(dirname(path), identity)));
  return outermost.filter((_, index) => reached[index]);
}
