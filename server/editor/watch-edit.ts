/** Follows one file while the editor does an edit of it: by the document where it is open, else by the disk. */
import { readFile } from 'node:fs/promises';
import { byteOrderMark, withoutMark } from '../changeset/lines.ts';
import { type MadeEdit, sight } from './arrival.ts';
import type { Session } from './session.ts';

/** What was seen of it. `typed`: the text that the user had when the editor put the edit over it; `now`: what came of that. */
export type Seen = { sight: 'arrived' } | { sight: 'misplaced'; typed: string; now: string };

export type Watch = {
  /** Never resolves where nothing of it is seen. */
  seen: Promise<Seen>;
  /** Since when, in ms of the clock, the file is not what the edit was made for, and without the edit. */
  movedAt(): number | undefined;
  stop(): void;
};

const pollMs = 100;

/**
 * `version` is null where the edit was made for a file that is not open. `savesIt`: the editor writes the document to disk
 * with the edit at once, and may tell of the change only when the buffer is next shown.
 */
export type WatchedEdit = { file: string; version: number | null; made: MadeEdit; savesIt: boolean };

export function watchEdit(session: Session, { file, version, made, savesIt }: WatchedEdit): Watch {
  const { promise: seen, resolve } = Promise.withResolvers<Seen>();
  let previous = made.before;
  let movedAt: number | undefined;
  let reading = false;
  const hasMark = [made.before, made.after].some((text) => text.startsWith(byteOrderMark));

  const look = (now: string): void => {
    if (now === previous) return;
    const found = sight(made, previous, now);
    if (found === 'arrived') resolve({ sight: 'arrived' });
    if (found === 'misplaced') resolve({ sight: 'misplaced', typed: previous, now });
    previous = now;
  };
  const lookAtDocument = (): void => {
    const document = session.documents.at(file);
    if (document) look(document.getText());
    // A reload brings another text under the same version.
    if ((document?.version ?? null) !== version || previous !== made.before) movedAt ??= Date.now();
  };
  const lookAtDisk = async (): Promise<void> => {
    reading = true;
    const text = await readFile(file, 'utf8').catch(() => undefined);
    reading = false;
    // What a document has shown meanwhile is newer than what was read.
    if (text !== undefined && isOnDisk()) look(hasMark ? text : withoutMark(text));
  };
  const isOnDisk = (): boolean => !session.documents.at(file) || (savesIt && previous === made.before);

  const unsubscribe = session.documents.onChange((uri) => {
    if (session.documents.pathOf(uri) === file) lookAtDocument();
  });
  const poll = setInterval(() => {
    lookAtDocument();
    if (isOnDisk() && !reading) void lookAtDisk();
  }, pollMs);
  poll.unref();
  return {
    seen,
    movedAt: () => movedAt,
    stop: () => {
      unsubscribe();
      clearInterval(poll);
    },
  };
}
