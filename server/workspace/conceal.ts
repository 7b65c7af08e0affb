/** Takes a workspace's secrets out of its copy, and lets show again what is none any more. What the agent made stays. */

import type { Mask } from './git-secrets.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { namesIn } from './names.ts';
import { joined, parentsOf } from './paths.ts';
import type { Entry } from './record.ts';
import type { Secrets } from './secrets.ts';
import { rebuild } from './settle.ts';
import { stampOf, statusOf } from './snapshot.ts';
import type { UpperEdit } from './upper-edit.ts';

/** In a hidden folder in which the agent has made files of its own. */
const namesMax = 20_000;

type Place = { layers: Layers; entries: Map<string, Entry>; edit: UpperEdit; aside: string };

/** Costs a few looks at each secret, and no more where nothing has changed. */
export async function conceal(place: Place, secrets: Pick<Secrets, 'hidden' | 'masks' | 'isTruncated'>): Promise<void> {
  const { layers, entries } = place;
  const { hidden, masks } = secrets;
  for (const [path, entry] of entries) {
    if (entry.kind === 'hidden') {
      const isGone = !(await statusOf(layers.lower(path)));
      if (isGone || !(hidden.has(path) || secrets.isTruncated)) await reveal(place, path);
    } else if (entry.kind === 'masked' && !masks.has(path)) await unmask(place, path);
  }
  for (const path of hidden) await hide(place, path);
  for (const [path, mask] of masks) if (mask.shown !== 'nothing') await showMasked(place, path, mask);
}

/** Whether a path, or a folder that it lies in, is hidden. */
export const isConcealed = (entries: ReadonlyMap<string, Entry>, path: string): boolean =>
  [path, ...parentsOf(path)].some((part) => entries.get(part)?.kind === 'hidden');

async function hide({ layers, entries, edit }: Place, path: string): Promise<void> {
  const entry = entries.get(path);
  if (entry?.kind === 'change' || !(await statusOf(layers.lower(path)))) return;
  const located = await layers.locate(path);
  // The user's own text, put there or written by the agent: it is the user's secret like the file.
  const isUsers = entry?.kind === 'buffer' || entry?.kind === 'same' || entry?.kind === 'masked';
  if (located.in === 'lower' || isUsers) {
    await edit.remove(path);
    entries.set(path, { kind: 'hidden' });
  } else if (located.in === 'nowhere') {
    const status = await statusOf(layers.upper(path));
    const isHere = layers.pending.has(path) || (status !== undefined && isWhiteout(status));
    if (isHere) entries.set(path, { kind: 'hidden' });
  } else if (located.status.isDirectory() && (await statusOf(layers.lower(path)))?.isDirectory()) {
    await hideBelow(layers, edit, path);
    entries.set(path, { kind: 'hidden' });
  }
}

/** The agent has a folder of its own there: what the user has in it is hidden name by name. */
async function hideBelow(layers: Layers, edit: UpperEdit, top: string): Promise<void> {
  const folders = [top];
  let names = 0;
  for (let folder = folders.pop(); folder !== undefined && names < namesMax; folder = folders.pop()) {
    const status = await statusOf(layers.upper(folder));
    if (status && layers.isOpaque(folder, status)) continue;
    for (const path of await layers.lowerChildren(folder)) {
      names += 1;
      const located = await layers.locate(path);
      if (located.in === 'lower') await edit.remove(path);
      else if (located.in === 'upper' && located.status.isDirectory()) folders.push(path);
    }
  }
}

async function reveal({ layers, entries, edit, aside }: Place, path: string): Promise<void> {
  entries.delete(path);
  layers.pending.delete(path);
  for (const each of layers.pending) if (each.startsWith(`${path}/`)) layers.pending.delete(each);
  const status = await statusOf(layers.upper(path));
  if (!status) return;
  if (isWhiteout(status)) return edit.uncover(path);
  if (!status.isDirectory()) return;
  // Nothing of the user's was ever seen in it, so that no whiteout there is a deletion.
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    await rebuild(layers, folder, aside);
    for (const { text } of await namesIn(layers.upper(folder))) {
      const child = joined(folder, text ?? '');
      const below = text === undefined ? undefined : await statusOf(layers.upper(child));
      if (below && isWhiteout(below)) await edit.uncover(child);
      else if (below?.isDirectory()) folders.push(child);
    }
  }
}

/** What a command has made of the file in the copy stays. */
async function showMasked(place: Place, path: string, { shown, lower }: Mask): Promise<void> {
  const { layers, entries, edit } = place;
  const entry = entries.get(path);
  if (entry && entry.kind !== 'masked') return;
  if (!entry && shown === 'clean') return;
  const located = await layers.locate(path);
  const isOurs = located.in === 'upper' && entry?.stamp === stampOf(located.status);
  if (isOurs && entry?.lower === lower) return;
  if (!isOurs && located.in !== 'lower') return;
  if (typeof shown !== 'object') return unmask(place, path);
  await edit.put(path, { kind: 'text', ...shown });
  const status = await statusOf(layers.upper(path));
  if (status) entries.set(path, { kind: 'masked', stamp: stampOf(status), lower });
}

async function unmask({ layers, entries, edit }: Place, path: string): Promise<void> {
  const entry = entries.get(path);
  const status = await statusOf(layers.upper(path));
  if (entry?.kind === 'masked' && status && stampOf(status) === entry.stamp) await edit.uncover(path);
  entries.delete(path);
}
