/** Whether reading with git starts no program in this copy: whatever stands in its git folder, whoever wrote it there. */
import { startsNoProgram } from '../policy/git-config.ts';
import { readSmallFile } from '../workspace/bounded-file.ts';
import { type LayerPaths, Layers } from '../workspace/layers.ts';

/** A larger index is looked at by nobody. */
const indexBytesMax = 64 * 1024 * 1024;
/** The mode of an entry that is a repository of its own, which git looks into with that one's configuration. */
const repositoryMode = Buffer.from([0x00, 0x00, 0xe0, 0x00]);
/** An index of which a part lies in another file. */
const splitIndex = Buffer.from('link');

/** Git folders are in no changeset, so they are read below the copy's own view. */
export async function isPlainGit(folders: LayerPaths): Promise<boolean> {
  const layers = new Layers(folders);
  const config = await layers.read('.git/config');
  if (config.kind !== 'text' || !startsNoProgram(config.text)) return false;
  // Each of these makes git read another configuration as well.
  for (const path of ['.git/commondir', '.git/config.worktree', '.gitmodules']) {
    if ((await layers.read(path)).kind !== 'absent') return false;
  }
  const { in: layer } = await layers.locate('.git/index');
  if (layer === 'nowhere') return true;
  const path = layer === 'upper' ? layers.upper('.git/index') : layers.lower('.git/index');
  const index = await readSmallFile(path, indexBytesMax);
  return index !== undefined && !index.includes(repositoryMode) && !index.includes(splitIndex);
}
