/** Does what was decided: the server's part on disk, checked as a whole, then the editor's part, verified by the face. */
import { readFile } from 'node:fs/promises';
import { planApply } from '../changeset/apply-plan.ts';
import { sameState } from '../changeset/file-state.ts';
import type { ApplyPlan, FileOutcome } from '../changeset/review-types.ts';
import { writeToDisk } from '../workspace/disk.ts';
import { readState } from '../workspace/snapshot.ts';
import { assertHash, blobOf } from './apply-log.ts';
import type { Face } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import type { Superseded } from './superseded.ts';

type DiskEntry = ApplyPlan['disk'][number];
type Open = ReadonlyMap<string, { version: number; text: string }>;

/** Why a path failed, for those that did. Where anything on disk can't be done, nothing is done at all. */
export async function carryOut(options: {
  record: ThreadRecord;
  outcomes: readonly FileOutcome[];
  face: Face;
  superseded: Superseded;
}): Promise<Map<string, string>> {
  const { record, outcomes, face, superseded } = options;
  const open: Open = face.documents.under(record.root);
  const versions = new Map([...open].map(([path, { version }]) => [path, version]));
  const plan = planApply(outcomes, versions, face.profile);
  const failures = await writeAll(record, plan.disk, open);
  if (failures.size > 0) {
    for (const { path } of [...plan.disk, ...plan.editor]) {
      if (!failures.has(path)) failures.set(path, 'not applied, because another file of the same change failed');
    }
    return failures;
  }
  for (const { path, from } of plan.disk) {
    for (const written of [path, from ?? path]) {
      const buffer = open.get(written);
      if (buffer) superseded.add(record.root, written, buffer.text);
    }
  }
  if (plan.editor.length > 0) {
    for (const [path, reason] of await face.applyEdits(record.root, plan.editor)) {
      if (reason !== undefined) failures.set(path, reason);
    }
  }
  return failures;
}

async function writeAll(record: ThreadRecord, planned: ApplyPlan['disk'], open: Open): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const entries: DiskEntry[] = [];
  for (const entry of planned) {
    const checked = await againstBuffer(record.root, entry, open);
    if (typeof checked === 'string') failures.set(entry.path, checked);
    else entries.push(checked);
  }
  if (failures.size > 0 || entries.length === 0) return failures;
  const readBinary = async (path: string, hash: string) => {
    const bytes = await readFile(blobOf(record.folder, hash)).catch(async () => (await record.copy()).readBytes(path));
    assertHash(path, hash, bytes);
    return bytes;
  };
  const { failed } = await writeToDisk(record.root, entries, readBinary, record.workspace);
  for (const { path, reason } of failed) failures.set(path, reason);
  return failures;
}

/**
 * The plan was made for the text of the buffer where there is one. Where the file has another, only its mode can be
 * changed without writing over somebody's text; for the rest, a sentence.
 */
async function againstBuffer(root: string, entry: DiskEntry, open: Open): Promise<DiskEntry | string> {
  const path = entry.from ?? entry.path;
  if (!open.has(path)) return entry;
  const { before, after } = entry;
  const now = await readState(root, path);
  if (sameState(now, before)) return entry;
  const isMode = before.kind === 'text' && after.kind === 'text' && before.text === after.text && !entry.from;
  if (isMode && now.kind === 'text') return { ...entry, before: now, after: { ...now, mode: after.mode } };
  return 'the editor and the disk have different texts of it; save or reload it, and accept again';
}
