/** What lies in a copy's own folder in the state directory, and where. */
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { externalGitFolder } from './external-git.ts';
import type { LayerPaths } from './layers.ts';
import { give, type Owner, ownerOf } from './owner.ts';

/**
 * Makes what is missing. `dir`: the copy's own folder; `root`: the workspace, absolute real path. `owner`: whose that is,
 * where it is not ours.
 */
export async function makeCopyFolder(
  dir: string,
  root: string,
): Promise<{ layers: LayerPaths; owner: Owner | undefined }> {
  const owner = await ownerOf(root);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await mkdir(join(dir, 'aside'), { recursive: true, mode: 0o700 });
  const git = await externalGitFolder(root);
  const layers = await makeLayers(dir, root, owner);
  if (git === undefined) return { layers, owner };
  return { layers: { ...layers, beside: [await makeLayers(besideIn(dir, git), git, owner)] }, owner };
}

/** One for each folder that is named: what was written over one is nothing over another. */
function besideIn(dir: string, folder: string): string {
  return join(dir, `git-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
}

async function makeLayers(dir: string, root: string, owner: Owner | undefined): Promise<LayerPaths> {
  const layers = { root, upper: join(dir, 'up'), work: join(dir, 'work'), whiteouts: join(dir, 'whiteouts') };
  await mkdir(layers.work, { recursive: true, mode: 0o700 });
  // What is mounted has the mode of its upper layer.
  const { mode } = await stat(root);
  await mkdir(layers.upper, { recursive: true, mode: (mode & 0o777) | 0o700 });
  for (const path of [layers.upper, layers.work]) await give(path, owner);
  return layers;
}
