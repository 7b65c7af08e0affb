/** The texts that one turn works on, as they are at each of its steps; where editors differ, that is told once a file. */
import { join } from 'node:path';
import { holdsPath, type Workspace } from '../protocol/folders.ts';
import type { OpenDocuments } from './ports.ts';
import { textsUnder } from './review.ts';
import { differing, together, unsavedElsewhere } from './unsaved-elsewhere.ts';

/** Of a moment: nobody changes it later. */
export type TurnTexts = () => Promise<OpenDocuments>;

export function turnTexts(
  { documents, ...workspace }: Workspace & { documents: OpenDocuments },
  warn: (message: string) => void,
): TurnTexts {
  const { root } = workspace;
  const told = new Set<string>();
  return async () => {
    const elsewhere = await unsavedElsewhere(documents, root, (path) => holdsPath(workspace, join(root, path)));
    const seen = together(textsUnder(documents, root), elsewhere);
    for (const one of seen.told) {
      if (told.has(one.path)) continue;
      told.add(one.path);
      warn(differing(one));
    }
    const texts = new Map([...seen.texts].map(([path, text]) => [path, { version: 0, text }]));
    return { under: (folder) => (folder === root ? texts : new Map()) };
  };
}
