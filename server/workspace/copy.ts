/**
 * A thread's private copy of the workspace: an upper layer over the user's files, and the record of what the agent has
 * changed in it and from what. Everything is on disk before a call returns; the next process goes on exactly.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileState, sameState } from '../changeset/file-state.ts';
import type { CopyChange } from '../changeset/review-types.ts';
import { inBatches } from './batches.ts';
import { makeCopyFolder } from './copy-folder.ts';
import { type Counted, counted } from './counted.ts';
import { type Tracked, trackedFiles } from './git-index.ts';
import { ignoreRules } from './ignore.ts';
import { type LayerPaths, Layers, type Located } from './layers.ts';
import type { Owner } from './owner.ts';
import { isHidden, ownFolder, pathProblem } from './paths.ts';
import { readPending, writePending } from './pending.ts';
import { CopyRecord, type Entry, type Settled } from './record.ts';
import { removeTree } from './remove-tree.ts';
import { scanUpper } from './scan.ts';
import { settleUpper } from './settle.ts';
import {
  bufferState,
  isReachable,
  newReading,
  readBytesAt,
  readingLike,
  readState,
  stampOf,
  statusOf,
} from './snapshot.ts';
import { type Materialized, type MaterializeOptions, Tree } from './tree.ts';
import { UnsavedTexts } from './unsaved.ts';
import { transact, UpperEdit } from './upper-edit.ts';

export type CopyOptions = {
  /** The copy's own folder in the state directory; made if it is missing. */
  dir: string;
  /** The user's workspace: absolute, real path. */
  root: string;
  /** Which files git tracks; by default as `.git/index` says. */
  tracked?: Tracked;
};

export type ScanResult = {
  /** What could not be looked at, or not wholly, as sentences. */
  problems: string[];
};

export class Copy {
  readonly layers: LayerPaths;
  readonly #dir: string;
  readonly #view: Layers;
  readonly #tree: Tree;
  readonly #record: CopyRecord;
  readonly #tracked: Tracked;
  readonly #entries: Map<string, Entry>;
  #counts: Counted;
  #buffers: ReadonlyMap<string, string> = new Map();
  readonly #unsaved: UnsavedTexts;
  #last: Promise<unknown> = Promise.resolve();
  /** Of rules and of git's index: said with the next scan, and once. */
  readonly #reported = new Set<string>();
  #unsaid: string[] = [];
  /** What the call at work may still read of large files. */
  #reading = newReading();

  private constructor(
    options: CopyOptions,
    layers: LayerPaths,
    record: CopyRecord,
    entries: Map<string, Entry>,
    opaque: Map<string, string>,
    owner: Owner | undefined,
  ) {
    const { dir, root, tracked } = options;
    this.#dir = dir;
    this.layers = layers;
    this.#view = new Layers(this.layers, owner);
    this.#tree = new Tree(this.#view, dir, this.#aside);
    for (const [path, ino] of opaque) this.#view.opaque.set(path, ino);
    this.#record = record;
    this.#entries = entries;
    this.#unsaved = new UnsavedTexts(this.#view, entries);
    this.#tracked = tracked ?? trackedFiles(root, this.#report);
    this.#counts = counted(ignoreRules(root, this.#report), this.#tracked);
  }

  /** Throws where the folder can't be made or read. */
  static async open(options: CopyOptions): Promise<Copy> {
    const { dir, root } = options;
    const { layers, owner } = await makeCopyFolder(dir, root);
    const record = new CopyRecord(dir);
    const { entries, opaque, settling } = await record.read();
    const copy = new Copy(options, layers, record, entries, opaque, owner);
    await copy.#resume(settling);
    return copy;
  }

  /**
   * Before a command or a patch: unsaved texts of the user are put into the copy, by workspace-relative path; what is
   * saved or closed is taken out again. A file the agent has changed keeps its version. Costs one look at each file of
   * a buffer, and no more where nothing has changed.
   */
  refresh(buffers: ReadonlyMap<string, string>): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      this.#buffers = buffers;
      const edit = this.#edit();
      await this.#unsaved.refresh(edit, buffers);
      if (await this.#view.showsFromLower(ownFolder)) await edit.remove(ownFolder);
      await this.#commit(edit);
      // A process that ends during a command leaves this behind; the next one scans from here.
      await writeFile(this.#running, String(Date.now()), { mode: 0o600 });
    });
  }

  /** After a command: finds what it changed. `startedAtMs`: Unix time; `merged`: the copy, while it is mounted. */
  scan(options: { startedAtMs: number; merged?: string }): Promise<ScanResult> {
    return this.#exclusive(() => this.#scan(options));
  }

  /** Before a command where no overlay can be mounted: the copy as a whole tree. Rejects with a sentence, or the signal. */
  materialize(options: MaterializeOptions = {}): Promise<Materialized> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const { problems, ...tree } = await this.#tree.materialize(this.#counts, options);
      this.#unsaid.push(...problems);
      return tree;
    });
  }

  /** After a command that had the tree, when nothing of it is alive: takes what it changed into the copy. Then `scan`. */
  absorb(): Promise<ScanResult> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      return this.#tree.absorb(this.#counts);
    });
  }

  /** As the agent sees it. */
  read(path: string): Promise<FileState> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      return isHidden(path) ? { kind: 'absent' } : this.#view.read(path, this.#buffers);
    });
  }

  /** Of a file as the agent sees it, at most 256 MiB; throws where there is none. */
  readBytes(path: string): Promise<Buffer> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const located = isHidden(path) ? undefined : await this.#view.locate(path);
      if (located?.in === 'upper') return readBytesAt(this.#view.upper(path));
      if (located?.in === 'lower' && (await isReachable(this.layers.root, path)))
        return readBytesAt(this.#view.lower(path));
      throw new Error(`${path} is not in the copy`);
    });
  }

  /** Changes by the agent's own tools, texts or deletions: all of them or, where this throws, none. */
  write(writes: readonly { path: string; state: FileState }[]): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const bases = new Map<string, FileState | 'unknown'>();
      for (const { path, state } of writes) bases.set(path, await this.#baseForWrite(path, state));
      await transact(this.#view, this.#aside, async (edit) => {
        for (const { path, state } of writes) await edit.put(path, state);
      });
      for (const [path, base] of bases) await this.#note(path, base);
      await this.#save();
    });
  }

  /** A change made on the agent's behalf: `base` is the user's text, `text` the copy's. */
  seed(path: string, base: string, text: string): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const problem = pathProblem(path);
      if (problem !== undefined) throw new Error(`${path} ${problem}`);
      const before = bufferState(base, await readState(this.layers.root, path));
      const mode = before.kind === 'text' ? before.mode : 0o644;
      await transact(this.#view, this.#aside, (edit) => edit.put(path, { kind: 'text', text, mode }));
      await this.#note(path, before);
      await this.#save();
    });
  }

  /** What the agent has changed, by path. */
  changes(): CopyChange[] {
    return [...this.#entries]
      .flatMap(([path, entry]) => (entry.kind === 'change' ? [{ path, base: entry.base, agent: entry.agent }] : []))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * At the start of a turn: afterwards exactly these are the copy's changes, and every other path is as the user has
   * it; ignored untracked files and `.git` of the copy stay. A binary or special file stays as it is in the copy.
   */
  settle(next: Settled): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      this.#counts = counted(ignoreRules(this.layers.root, this.#report), this.#tracked);
      await this.#tree.absorb(this.#counts);
      await this.#record.write(this.#entries, this.#view.opaque, next);
      await this.#settle(next);
    });
  }

  /** Deletes everything of it. */
  remove(): Promise<void> {
    return this.#exclusive(() => removeTree(this.#dir));
  }

  readonly #report = (problem: string): void => {
    if (this.#reported.has(problem)) return;
    this.#reported.add(problem);
    this.#unsaid.push(problem);
  };

  get #aside(): string {
    return join(this.#dir, 'aside');
  }

  get #running(): string {
    return join(this.#dir, 'running');
  }

  /** One after the other: two calls of a turn never see half of each other. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#reading = newReading();
      return run();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #resume(settling: Settled | undefined): Promise<void> {
    await this.#loadPending();
    await writePending(this.#view);
    if (settling) return this.#settle(settling);
    this.#unsaid.push(...(await this.#tree.absorb(this.#counts)).problems);
    for (const [path, entry] of this.#entries) {
      if (entry.kind === 'change')
        this.#entries.set(path, { ...entry, agent: await this.#view.read(path, undefined, this.#reading) });
    }
    const startedAtMs = Number(await readFile(this.#running, 'utf8').catch(() => ''));
    if (startedAtMs > 0) await this.#scan({ startedAtMs });
  }

  async #settle(next: Settled): Promise<void> {
    await settleUpper({ layers: this.#view, counts: this.#counts, next, aside: this.#aside });
    await writePending(this.#view);
    this.#entries.clear();
    this.#unsaved.forget();
    for (const [path, { base, agent }] of next) await this.#note(path, base, undefined, readingLike(agent));
    await this.#save();
    await this.#record.forgetTexts();
    await this.#tree.sweep(this.#counts);
  }

  async #scan(options: { startedAtMs: number; merged?: string }): Promise<ScanResult> {
    await this.#loadPending();
    const { startedAtMs } = options;
    const found = await scanUpper({ layers: this.#view, counts: this.#counts, known: this.#entries, ...options });
    const located = (status: BigIntStats | undefined): Located =>
      status ? { in: 'upper', status } : { in: 'nowhere' };
    await inBatches([...found.paths], ([path, status]) => this.#examine(path, located(status), startedAtMs));
    if (found.isTruncated) {
      found.problems.push('The copy holds more files than are looked at; some changes are not listed.');
    } else {
      const unseen = [...this.#entries.keys()].filter((path) => !found.paths.has(path));
      await inBatches(unseen, async (path) => this.#examine(path, await this.#view.locate(path), startedAtMs));
    }
    if (this.#reading.unread > 0) {
      found.problems.push(`${this.#reading.unread} files are too large to be read; their size and time are compared.`);
    }
    await this.#save();
    await rm(this.#running, { force: true });
    return { problems: [...this.#unsaid.splice(0), ...found.problems] };
  }

  /** Looks at one path of the copy again, unless its file is the one that was seen last. */
  async #examine(path: string, located: Located, startedAtMs: number): Promise<void> {
    const entry = this.#entries.get(path);
    const stamp = located.in === 'upper' ? stampOf(located.status) : undefined;
    if (entry && stamp !== undefined && entry.stamp === stamp) return;
    if (entry?.kind === 'change') return this.#note(path, entry.base, located);
    if (entry?.kind === 'buffer')
      return this.#note(path, { kind: 'text', text: entry.text, mode: entry.mode }, located);
    // Not in the upper layer and never a change: the user's own file shows.
    if (located.in === 'lower') {
      this.#entries.delete(path);
      return;
    }
    await this.#note(path, await this.#lowerBase(path, startedAtMs), located);
  }

  /** The user's text that the agent's change began from, unless it may have changed since. */
  async #lowerBase(path: string, startedAtMs: number): Promise<FileState | 'unknown'> {
    const state = await readState(this.layers.root, path, this.#reading);
    const status = state.kind === 'absent' ? undefined : await statusOf(this.#view.lower(path));
    return status && Number(status.ctimeNs / 1_000_000n) > startedAtMs ? 'unknown' : state;
  }

  /** Writes down what the copy holds at a path, against its base. */
  async #note(path: string, base: FileState | 'unknown', known?: Located, reading = this.#reading): Promise<void> {
    const located = known ?? (await this.#view.locate(path));
    const stamp = located.in === 'upper' ? stampOf(located.status) : undefined;
    const agent = await this.#view.readLocated(path, located, undefined, reading);
    const before = this.#entries.get(path);
    if (base === 'unknown' || !sameState(base, agent)) {
      this.#entries.set(path, { kind: 'change', base, agent, stamp });
    } else if (stamp === undefined) {
      this.#entries.delete(path);
    } else if (before?.kind === 'buffer') {
      this.#entries.set(path, { ...before, stamp });
    } else {
      const user = await readState(this.layers.root, path, reading);
      const lower = sameState(user, agent) ? await this.#view.lowerStamp(path) : undefined;
      this.#entries.set(path, { kind: 'same', stamp, lower });
    }
  }

  async #baseForWrite(path: string, state: FileState): Promise<FileState | 'unknown'> {
    const problem = pathProblem(path);
    if (problem !== undefined) throw new Error(`${path} ${problem}`);
    if (state.kind !== 'text' && state.kind !== 'absent') throw new Error(`${path}: only text can be written`);
    const now = await this.#view.read(path, this.#buffers);
    if (await this.#view.isFolder(path)) throw new Error(`${path} is a folder`);
    if (state.kind === 'text' && now.kind !== 'text' && now.kind !== 'absent') {
      throw new Error(`${path} is no text file`);
    }
    const entry = this.#entries.get(path);
    return entry?.kind === 'change' ? entry.base : now;
  }

  #edit(): UpperEdit {
    return new UpperEdit(this.#view, this.#aside);
  }

  async #commit(edit: UpperEdit): Promise<void> {
    await writePending(this.#view);
    await edit.commit();
    await this.#save();
  }

  #save(): Promise<void> {
    return this.#record.write(this.#entries, this.#view.opaque);
  }

  /** The sandbox empties the list when it has made the whiteouts. */
  async #loadPending(): Promise<void> {
    await readPending(this.#view);
  }
}
