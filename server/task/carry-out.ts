/** Does what was decided: the server's part on disk, checked as a whole, then the editor's part, verified by the face. */
import { readFile } from 'node:fs/promises';
import { planApply } from '../changeset/apply-plan.ts';
import { absent, type FileState, sameState } from '../changeset/file-state.ts';
import { sameButEnds } from '../changeset/lines.ts';
import type { ApplyPlan, FileOutcome } from '../changeset/review-types.ts';
import { type DiskEntry, type ReadBinary, writeToDisk } from '../workspace/disk.ts';
import { readState } from '../workspace/snapshot.ts';
import { assertHash, blobOf } from './apply-log.ts';
import type { Face, OpenDocuments } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import type { Superseded } from './superseded.ts';
import { inTheWay, unsavedElsewhere } from './unsaved-elsewhere.ts';

type Open = ReadonlyMap<string, { version: number; text: string }>;

export type CarriedOut = {
  /** Why a path failed. `isWritten`: its file is written all the same. */
  failures: Map<string, { reason: string; isWritten?: true }>;
  /** Not even begun, because of the failures. */
  leftOut: string[];
  /** Open documents whose files the server wrote, moved or removed. */
  reload: string[];
};

/**
 * Where anything on disk can't be done, nothing is done at all. `begin`: called with what the server is about to write,
 * and with the paths of the editor's edits, before any of it.
 */
export async function carryOut(options: {
  record: ThreadRecord;
  outcomes: readonly FileOutcome[];
  face: Face;
  superseded: Superseded;
  applyId: string;
  begin: (writes: readonly DiskEntry[], edited: ReadonlySet<string>) => Promise<void>;
}): Promise<CarriedOut> {
  const { record, outcomes, face, superseded, applyId, begin } = options;
  const open: Open = face.documents.under(record.root);
  const versions = new Map([...open].map(([path, { version }]) => [path, version]));
  const plan = planApply(outcomes, versions, face.profile);
  const failures: CarriedOut['failures'] = new Map();
  const touched = new Set(outcomes.flatMap(({ path, from }) => [path, from ?? path]));
  const elsewhere = await unsavedElsewhere(face.documents, record.root, (path) => touched.has(path));
  for (const outcome of outcomes) {
    const reason = inTheWay(outcome, elsewhere);
    if (reason !== undefined) failures.set(outcome.path, { reason });
  }
  const entries: DiskEntry[] = [];
  for (const entry of plan.disk) {
    const checked = await againstBuffer(record.root, entry, open);
    if (typeof checked === 'string') failures.set(entry.path, failures.get(entry.path) ?? { reason: checked });
    else entries.push(checked);
  }
  if (failures.size === 0) {
    await begin(entries, new Set(plan.editor.map(({ path }) => path)));
    const { failed } = await writeToDisk(record.root, entries, binariesOf(record), {
      tag: applyId,
      folders: record.workspace.folders,
    });
    // Of two failures of one path, the first is the cause.
    for (const { path, ...failure } of failed.toReversed()) failures.set(path, failure);
    for (const { path, isWritten } of failed) {
      const cause = failures.get(path);
      if (isWritten && cause) failures.set(path, { ...cause, isWritten });
    }
  }
  if (failures.size > 0) {
    const paths = new Set([...plan.disk, ...plan.editor].map(({ path }) => path));
    return { failures, leftOut: [...paths].filter((path) => !failures.has(path)), reload: [] };
  }
  const reload: string[] = [];
  const written = entries.filter((entry) => !isMode(entry)).flatMap(writtenBy);
  for (const { path, state, before } of written) {
    const shown = open.get(path)?.text ?? shownElsewhere(face.documents, record.root, path, before);
    superseded.wrote(record.root, path, state, shown);
    if (shown !== undefined) reload.push(path);
  }
  face.wrote?.(
    record.root,
    written.map(({ path, state }) => ({
      path,
      isGone: state.kind === 'absent',
      ...(state.kind === 'text' ? { text: state.text } : {}),
    })),
  );
  if (plan.editor.length > 0) {
    for (const [path, reason] of await editedBy(face, record.root, plan.editor)) {
      if (reason !== undefined) failures.set(path, { reason });
    }
  }
  return { failures, leftOut: [], reload };
}

/** What is on disk by now is there whatever becomes of the editor's part. */
const editedBy = (face: Face, root: string, edits: ApplyPlan['editor']): ReturnType<Face['applyEdits']> =>
  face.applyEdits(root, edits).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    return new Map(edits.map(({ path }) => [path, reason]));
  });

/** A chmod alone, which leaves the text of an open document as true as it was, unsaved or not. */
const isMode = ({ from, before, after }: DiskEntry): boolean =>
  from === undefined && before.kind === 'text' && after.kind === 'text' && before.text === after.text;

const writtenBy = ({
  path,
  from,
  before,
  after,
}: DiskEntry): { path: string; state: FileState; before: FileState }[] =>
  from === undefined
    ? [{ path, state: after, before }]
    : [
        { path, state: after, before: absent },
        { path: from, state: absent, before },
      ];

/** Another connection's buffer that holds the file as it was: it has to be loaded anew, and is no text of the user's own. */
function shownElsewhere(documents: OpenDocuments, root: string, path: string, before: FileState): string | undefined {
  if (before.kind !== 'text') return undefined;
  const texts = (documents.others?.() ?? []).map((other) => other.under(root).get(path)?.text);
  return texts.find((text) => text !== undefined && sameButEnds(text, before.text));
}

/** What was kept of binary files, else what the agent's copy has. */
export const binariesOf =
  (record: ThreadRecord): ReadBinary =>
  async (path, hash) => {
    const bytes = await readFile(blobOf(record.folder, hash)).catch(async () => (await record.copy()).readBytes(path));
    assertHash(path, hash, bytes);
    return bytes;
  };

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
  if (isMode(entry) && after.kind === 'text' && now.kind === 'text')
    return { ...entry, before: now, after: { ...now, mode: after.mode } };
  return 'the editor and the disk have different texts of it; save or reload it, and try again';
}
