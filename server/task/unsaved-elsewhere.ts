/** What other connections have open and have not saved: read by turns, and never written over. */
import { sameButEnds } from '../changeset/lines.ts';
import type { FileOutcome } from '../changeset/review-types.ts';
import { readState } from '../workspace/snapshot.ts';
import type { OpenDocuments } from './ports.ts';

/** By path, the texts that other connections have and the disk has not, in the order in which they attached. */
export type UnsavedElsewhere = ReadonlyMap<string, readonly string[]>;

/** `concerns`: which paths are looked at. */
export async function unsavedElsewhere(
  { others }: OpenDocuments,
  root: string,
  concerns: (path: string) => boolean = () => true,
): Promise<UnsavedElsewhere> {
  const found = new Map<string, string[]>();
  for (const documents of others?.() ?? []) {
    for (const [path, { text, isSaved }] of documents.under(root)) {
      if (isSaved || !concerns(path)) continue;
      const disk = await readState(root, path);
      if (disk.kind === 'text' && sameButEnds(disk.text, text)) continue;
      found.set(path, [...(found.get(path) ?? []), text]);
    }
  }
  return found;
}

type Told = { path: string; used: 'own' | 'other' };

/**
 * The texts that a turn works on: those of the connection that started it, saved or not, over those of the others; of
 * several others, the first. `told`: where somebody's unsaved text is not the one that is used.
 */
export function together(
  own: ReadonlyMap<string, string>,
  elsewhere: UnsavedElsewhere,
): { texts: ReadonlyMap<string, string>; told: Told[] } {
  const texts = new Map(own);
  const told: Told[] = [];
  for (const [path, [first = '', ...more]] of elsewhere) {
    const mine = own.get(path);
    const used = mine ?? first;
    texts.set(path, used);
    if ([first, ...more].every((text) => sameButEnds(text, used))) continue;
    told.push({ path, used: mine === undefined ? 'other' : 'own' });
  }
  return { texts, told };
}

export const differing = ({ path, used }: Told): string =>
  used === 'own'
    ? `${path}: another editor has unsaved text of it that differs from what this one has open; the task works on this one's.`
    : `${path}: two other editors have different unsaved texts of it; the task works on that of the one that connected first.`;

/** Why a change of a file has to wait, if so. A mode can be changed without touching anybody's text. */
export function inTheWay({ path, from, before, after }: FileOutcome, elsewhere: UnsavedElsewhere): string | undefined {
  const texts = [before, after].flatMap((state) => (state.kind === 'text' ? [state.text] : []));
  const isMode = from === undefined && texts.length === 2 && texts[0] === texts[1];
  const isHeld = [path, from ?? path].some((one) =>
    elsewhere.get(one)?.some((theirs) => !texts.some((text) => sameButEnds(text, theirs))),
  );
  return isHeld && !isMode ? 'open with unsaved text in another editor; save or close it there first' : undefined;
}
