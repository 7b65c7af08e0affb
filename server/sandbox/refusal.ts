/** What would fail only half-way, or in words that nobody understands, is refused before anything is started. */
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import { isInside } from './environment.ts';
import { type Identity, identityFor, mayReach } from './identity.ts';
import { allLayers, workspaceIn } from './layers.ts';
import { type Machine, type Unavailable, unavailable } from './machine.ts';
import type { Mounter } from './stage.ts';
import type { CommandRequest, Strategy } from './types.ts';

/** Of a strategy without namespaces. */
export const notHere = (strategy: Exclude<Strategy, { kind: 'overlay' | 'copy' }>): Unavailable =>
  strategy.kind === 'none'
    ? unavailable({ reason: strategy.reason, remedy: strategy.remedy })
    : unavailable({ reason: `There are no namespaces for ${strategy.kind}.`, remedy: 'Run: codex-lsp doctor.' });

/** Whom the command runs as. */
export async function whoFor({ layers, cwd }: CommandRequest): Promise<Identity | Unavailable> {
  const workspace = workspaceIn(layers);
  if (!holdsPath(workspace, cwd)) throw new Error(`the folder of a command must lie in the workspace: ${cwd}`);
  if (allLayers(layers).some(({ upper }) => holdsPath(workspace, upper))) {
    return unavailable({
      reason: 'The state folder lies inside the workspace.',
      remedy: 'Set CODEX_LSP_STATE_DIR to a folder outside of it, or open a smaller folder.',
    });
  }
  const [first, ...others] = await Promise.all(foldersOf(workspace).map(whoIn));
  if (first === undefined || 'kind' in first) return first ?? unavailable(nothingOpen);
  for (const other of others) {
    if ('kind' in other) return other;
    if (other.uid !== first.uid) return unavailable(severalOwners);
  }
  return first;
}

const nothingOpen = { reason: 'The workspace has no folder.', remedy: 'Open one.' };
const severalOwners = {
  reason: 'The folders of the workspace belong to different users, and a command can be one of them only.',
  remedy: 'Delegate the task from one of the folders alone (codex/runTask with root), or give them one owner.',
};

async function whoIn(root: string): Promise<Identity | Unavailable> {
  const owner = await stat(root).catch(() => undefined);
  if (!owner?.isDirectory()) {
    return unavailable({ reason: `The workspace ${root} is not there.`, remedy: 'Open a folder that exists.' });
  }
  // Whoever has a folder above it may have put a link there, and we would show what it leads to.
  const real = await realpath(root).catch(() => undefined);
  if (real !== root) {
    return unavailable({
      reason: `The workspace ${root} has been replaced: it leads to ${real ?? 'nothing'} now.`,
      remedy: 'Open the folder anew.',
    });
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

/** What this machine has not got, or can't do for this workspace. `isByBwrap`: the overlay. */
export function lackOf(
  { host, tools }: Machine,
  { mounter, isByBwrap, ...workspace }: Workspace & { mounter: Mounter; isByBwrap: boolean },
): Unavailable | undefined {
  if (mounter === 'root' && tools.setpriv === undefined) {
    return unavailable({
      reason: 'The workspace belongs to another user, and this machine has no setpriv to run commands as its owner.',
      remedy: 'Install setpriv (of util-linux), or start codex-lsp as the owner.',
    });
  }
  const above = dirname(host.home);
  if (foldersOf(workspace).some((folder) => isInside(above, folder) && above !== folder)) {
    // Commands could move the folders above the place where it is hidden.
    return unavailable({
      reason: `The home folder ${host.home} lies deep in the workspace, where it can not be hidden.`,
      remedy: 'Open a smaller folder.',
    });
  }
  if (mounter === 'itself' && isByBwrap && !host.bwrap.hasOverlay) {
    return unavailable({
      reason: `bubblewrap ${host.bwrap.version} makes no overlays.`,
      remedy: 'Install bubblewrap 0.11 or newer.',
    });
  }
  return undefined;
}
