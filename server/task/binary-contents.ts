/** The bytes of binary files in a review, as far as a diff may hold them, for whoever writes the diff. */
import { binariesBytesMax, binaryBytesMax, type Contents } from '../changeset/binary-patch.ts';
import { hasPending } from '../changeset/diff-files.ts';
import type { FileState } from '../changeset/file-state.ts';
import type { Review } from '../changeset/review-types.ts';
import { readBytesIn } from '../workspace/snapshot.ts';
import { assertHash } from './apply-log.ts';
import type { ThreadRecord } from './record.ts';

type Wanted = { state: FileState; path: string; read: () => Promise<Buffer> };

export class BinaryContents {
  /** Of the reviews that were looked at last, by hash. */
  #kept = new Map<string, Buffer>();

  /** A file that can't be read, or is not what it was when the review was made, stays in words. */
  async of(record: ThreadRecord, review: Review): Promise<Contents> {
    const found = new Map<string, Buffer>();
    let bytesLeft = binariesBytesMax;
    for (const { state, path, read } of wantedIn(record, review)) {
      if (state.kind !== 'binary' || found.has(state.hash)) continue;
      if (state.size > Math.min(binaryBytesMax, bytesLeft)) continue;
      const bytes = this.#kept.get(state.hash) ?? (await checked(path, state.hash, read));
      if (!bytes) continue;
      found.set(state.hash, bytes);
      bytesLeft -= bytes.length;
    }
    this.#kept = found;
    return found;
  }
}

function wantedIn(record: ThreadRecord, review: Review): Wanted[] {
  return review.files.filter(hasPending).flatMap(({ user, userPath, agent, path }) => [
    { state: agent, path, read: async () => (await record.copy()).readBytes(path) },
    { state: user, path: userPath, read: () => readBytesIn(record.root, userPath) },
  ]);
}

async function checked(path: string, hash: string, read: () => Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    const bytes = await read();
    assertHash(path, hash, bytes);
    return bytes.length <= binaryBytesMax ? bytes : undefined;
  } catch {
    return undefined;
  }
}
