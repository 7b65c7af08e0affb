/** A second copy of one workspace folder, beside that of a first thread: its layers, and those of a git folder outside. */
import { makeCopyFolder } from './copy-folder.ts';
import { forkLayers } from './fork-layers.ts';
import type { GitBeside } from './git-beside.ts';
import type { Layers } from './layers.ts';
import type { Entry } from './record.ts';

/** `dir`: of the new copy, made here. Answers what can't be taken along, as sentences. */
export async function forkCopy(options: {
  dir: string;
  layers: Layers;
  entries: ReadonlyMap<string, Entry>;
  gitBeside: readonly GitBeside[];
}): Promise<string[]> {
  const { dir, layers, entries, gitBeside } = options;
  const made = await makeCopyFolder(dir, layers.paths.root);
  const problems = await forkLayers(layers, entries, made.layers);
  for (const git of gitBeside) {
    // Where the user has moved it meanwhile, what was in the copy of the old one is nothing over the new one.
    const to = made.layers.beside?.find(({ root }) => root === git.root);
    if (to) problems.push(...(await git.forkInto(to)));
  }
  return problems;
}
