/** What the user's files hold, for whoever looks at the same ones again and again: what has not changed is not read. */
import { dirname, join } from 'node:path';
import { absent, type FileState, sameState } from '../changeset/file-state.ts';
import { inBatches } from './batches.ts';
import { bufferState, isReachable, readState, stampOf, statusOf } from './snapshot.ts';

/** A file that was written this shortly before it was read may be written again under the same stamp. */
const settledAfterMs = 2_000;

type Seen = {
  /** Undefined: to be read again, whatever its stamp. */
  stamp: string | undefined;
  disk: FileState;
  /** Of the buffer that was open over it. */
  text: string | undefined;
  state: FileState;
};

export class SeenFiles {
  readonly #root: string;
  #seen = new Map<string, Seen>();

  readonly #nowMs: () => number;

  /** `root`: a real path. */
  constructor(root: string, nowMs: () => number = Date.now) {
    this.#root = root;
    this.#nowMs = nowMs;
  }

  /**
   * As the user has them now, by path: `userState` of each, and the very same value where nothing changed. `only`: of
   * the others, what was seen last is good enough.
   */
  async look(
    paths: readonly string[],
    buffers: ReadonlyMap<string, string>,
    only?: ReadonlySet<string>,
  ): Promise<Map<string, FileState>> {
    const seen = new Map<string, Seen>();
    const folders = new Map<string, Promise<boolean>>();
    const before = this.#seen;
    await inBatches(paths, async (path) => {
      const known = before.get(path);
      // Another editor may have asked last, which has another text of it.
      const isEnough = known && only && !only.has(path) && known.text === buffers.get(path);
      seen.set(path, isEnough ? known : await this.#lookAt(path, buffers.get(path), known, folders));
    });
    this.#seen = seen;
    return new Map([...seen].map(([path, { state }]) => [path, state]));
  }

  async #lookAt(
    path: string,
    text: string | undefined,
    known: Seen | undefined,
    folders: Map<string, Promise<boolean>>,
  ): Promise<Seen> {
    const { stamp, disk } = await this.#disk(path, known, folders);
    if (known && known.disk === disk && known.text === text) return { ...known, stamp };
    return { stamp, disk, text, state: text === undefined ? disk : bufferState(text, disk) };
  }

  async #disk(
    path: string,
    known: Seen | undefined,
    folders: Map<string, Promise<boolean>>,
  ): Promise<Pick<Seen, 'stamp' | 'disk'>> {
    const folder = dirname(path);
    const reachable = folders.get(folder) ?? isReachable(this.#root, path);
    folders.set(folder, reachable);
    const status = (await reachable) ? await statusOf(join(this.#root, path)) : undefined;
    if (!status) return { stamp: undefined, disk: absent };
    const stamp = `${stampOf(status)}:${status.mode}`;
    if (known?.stamp === stamp) return known;
    // The stamp is older than what is read: where they differ, the next look finds another stamp.
    const writtenAtMs = Math.max(Number(status.mtimeMs), Number(status.ctimeMs));
    const isSettled = writtenAtMs < this.#nowMs() - settledAfterMs;
    const disk = await readState(this.#root, path);
    return { stamp: isSettled ? stamp : undefined, disk: known && isSame(known.disk, disk) ? known.disk : disk };
  }
}

/** To the last bit of a mode. */
const isSame = (a: FileState, b: FileState): boolean => sameState(a, b) && modeOf(a) === modeOf(b);
const modeOf = (state: FileState): number => ('mode' in state ? state.mode : 0);
