/**
 * A thread's private copy of the workspace: an upper layer over the user's files, and the record of what the agent has
 * changed in it and from what. Everything is on disk before a call returns; the next process goes on exactly.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileState } from '../changeset/file-state.ts';
import type { CopyChange } from '../changeset/review-types.ts';
import { inBatches } from './batches.ts';
import { conceal, isConcealed } from './conceal.ts';
import { makeCopyFolder } from './copy-folder.ts';
import { type Counted, counted } from './counted.ts';
import { forkCopy } from './fork-copy.ts';
import { GitBeside } from './git-beside.ts';
import { namedGitFolder } from './git-folder.ts';
import { type Tracked, trackedFiles } from './git-index.ts';
import { ignoreRules } from './ignore.ts';
import { type LayerPaths, Layers, type Located } from './layers.ts';
import { Notes } from './notes.ts';
import type { Owner } from './owner.ts';
import { isHidden, ownFolder, pathProblem } from './paths.ts';
import { readPending, writePending } from './pending.ts';
import { CopyRecord, type Entry, type Settled } from './record.ts';
import { removeTree } from './remove-tree.ts';
import { scanUpper } from './scan.ts';
import { Secrets } from './secrets.ts';
import { settleUpper } from './settle.ts';
import { bufferState, isReachable, newReading, readBytesAt, readingLike, readState } from './snapshot.ts';
import type { ScanResult, ThreadCopy, WholeCopy, Write } from './thread-copy.ts';
import { type MaterializeOptions, Tree } from './tree.ts';
import { pointerInto } from './tree-git.ts';
import { UnsavedTexts } from './unsaved.ts';
import { transact, UpperEdit } from './upper-edit.ts';

export type CopyOptions = {
  /** The copy's own folder in the state directory; made if it is missing. */
  dir: string;
  /** The user's workspace: absolute, real path. */
  root: string;
  /** Which files git tracks; by default as `.git/index` says. */
  tracked?: Tracked;
  /** Where the whole copy is made where one is needed; by default in `dir`. Its parent is there. */
  treePath?: string;
};

export class Copy implements ThreadCopy {
  readonly root: string;
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
  readonly #secrets: Secrets;
  readonly #gitBeside: readonly GitBeside[];
  #last: Promise<unknown> = Promise.resolve();
  /** Of rules and of git's index: said with the next scan, and once. */
  readonly #reported = new Set<string>();
  #unsaid: string[] = [];
  readonly #notes: Notes;

  private constructor(
    options: CopyOptions,
    layers: LayerPaths,
    record: CopyRecord,
    entries: Map<string, Entry>,
    opaque: Map<string, string>,
    owner: Owner | undefined,
    gitBeside: readonly GitBeside[],
  ) {
    const { dir, root, tracked, treePath } = options;
    this.#dir = dir;
    this.root = root;
    this.layers = layers;
    this.#view = new Layers(this.layers, owner);
    this.#tree = new Tree(this.#view, dir, this.#aside, treePath);
    for (const [path, ino] of opaque) this.#view.opaque.set(path, ino);
    this.#record = record;
    this.#entries = entries;
    this.#unsaved = new UnsavedTexts(this.#view, entries);
    this.#tracked = tracked ?? trackedFiles(root, this.#report);
    this.#counts = counted(ignoreRules(root, this.#report), this.#tracked);
    this.#gitBeside = gitBeside;
    this.#secrets = new Secrets(root, () => this.#counts, this.#report);
    this.#notes = new Notes({ layers: this.#view, entries, secrets: this.#secrets, counts: () => this.#counts });
  }

  /** Throws where the folder can't be made or read. */
  static async open(options: CopyOptions): Promise<Copy> {
    const { dir, root } = options;
    const { layers, owner } = await makeCopyFolder(dir, root);
    const record = new CopyRecord(dir);
    const { entries, opaque, settling } = await record.read();
    const gitBeside = await Promise.all((layers.beside ?? []).map((each) => GitBeside.open(each, owner)));
    const copy = new Copy(options, layers, record, entries, opaque, owner, gitBeside);
    await copy.#resume(settling);
    return copy;
  }

  /**
   * At the start of a turn: unsaved texts are put in as by `refresh`, and a search for the user's secrets begins, which
   * `refresh` waits for. `allowed`: which of them commands may read, as patterns of `.gitignore` or paths.
   */
  prepare(buffers: ReadonlyMap<string, string>, allowed: readonly string[] = []): Promise<void> {
    this.#secrets.begin(allowed);
    for (const git of this.#gitBeside) git.begin();
    return this.#exclusive(async () => this.#commit(await this.#refreshed(buffers)));
  }

  /**
   * Before a command or a patch: unsaved texts of the user are put into the copy, by workspace-relative path; what is
   * saved or closed is taken out again, and secrets of the user are hidden. A file the agent has changed keeps its
   * version. Costs one look at each file of a buffer and at each secret, and no more where nothing has changed.
   */
  async refresh(buffers: ReadonlyMap<string, string>): Promise<void> {
    await this.#secrets.ready();
    return this.#exclusive(async () => {
      const edit = await this.#refreshed(buffers);
      await conceal({ layers: this.#view, entries: this.#entries, edit, aside: this.#aside }, this.#secrets);
      if (await this.#view.showsFromLower(ownFolder)) await edit.remove(ownFolder);
      await this.#commit(edit);
      for (const git of this.#gitBeside) await git.conceal();
      // A process that ends during a command leaves this behind; the next one scans from here.
      await writeFile(this.#running, String(Date.now()), { mode: 0o600 });
    });
  }

  /** After a command: finds what it changed. `startedAtMs`: Unix time; `merged`: the copy, while it is mounted. */
  scan(options: { startedAtMs: number; merged?: string }): Promise<ScanResult> {
    return this.#exclusive(() => this.#scan(options));
  }

  /** Before a command where no overlay can be mounted: the copy as a whole tree. Rejects with a sentence, or the signal. */
  materialize(options: MaterializeOptions = {}): Promise<WholeCopy> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const beside = await Promise.all(this.#gitBeside.map((git) => git.materialize(options)));
      const [git] = beside;
      const folder = git && options.standsApart ? await namedGitFolder(this.layers.root) : undefined;
      const pointer = git && (await pointerInto(folder, { root: git.root, tree: git.path }));
      const { problems, ...tree } = await this.#tree.materialize(this.#counts, { ...options, pointer });
      this.#unsaid.push(...beside.flatMap((each) => each.problems), ...problems);
      return { ...tree, beside };
    });
  }

  /** After a command that had the tree, when nothing of it is alive: takes what it changed into the copy. Then `scan`. */
  absorb(): Promise<ScanResult> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      return this.#absorb();
    });
  }

  /** As the agent sees it. */
  read(path: string): Promise<FileState> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      if (isHidden(path) || (await this.#showsSecret(path))) return { kind: 'absent' };
      return this.#view.read(path, this.#buffers);
    });
  }

  /** Whether what the user has at a path is not for the agent. `text`: of an unsaved buffer there. */
  async hides(path: string, text?: string): Promise<boolean> {
    await this.#secrets.rules.read();
    return this.#secrets.has(path, text);
  }

  /** Of a file as the agent sees it, at most 256 MiB; throws where there is none. */
  readBytes(path: string): Promise<Buffer> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const located = isHidden(path) ? undefined : await this.#view.locate(path);
      if (located?.in === 'upper') return readBytesAt(this.#view.upper(path));
      const isShown = located?.in === 'lower' && !(await this.#showsSecret(path));
      if (isShown && (await isReachable(this.layers.root, path))) return readBytesAt(this.#view.lower(path));
      throw new Error(`${path} is not in the copy`);
    });
  }

  /**
   * Changes by the agent's own tools, texts or deletions: all of them or, where this or `alongside` throws, none.
   */
  write(writes: readonly Write[], alongside: () => Promise<void> = async () => {}): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const bases = new Map<string, FileState | 'unknown'>();
      for (const { path, state } of writes) {
        const base = await this.#baseForWrite(path, state);
        // An ignored file over a secret of the user is the copy's own.
        if (base !== 'unknown' || (await this.#counts.file(path))) bases.set(path, base);
      }
      await transact(this.#view, this.#aside, async (edit) => {
        for (const { path, state } of writes) await edit.put(path, state);
        await alongside();
      });
      for (const [path, base] of bases) await this.#notes.note(path, base);
      await this.#save();
    });
  }

  /** A change made on the agent's behalf: `base` is the user's text, `text` the copy's. Not of a secret. */
  seed(path: string, base: string, text: string): Promise<void> {
    return this.#exclusive(async () => {
      await this.#loadPending();
      const problem = pathProblem(path);
      if (problem !== undefined) throw new Error(`${path} ${problem}`);
      if (await this.hides(path, base)) return;
      const disk = await readState(this.layers.root, path);
      const before = bufferState(base, disk);
      const after = bufferState(text, disk);
      await transact(this.#view, this.#aside, (edit) => edit.put(path, after));
      await this.#notes.note(path, before);
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
      await this.#absorb();
      await this.#record.write(this.#entries, this.#view.opaque, next);
      await this.#settle(next);
    });
  }

  /** Makes a second copy that holds the same. Sentences about what that can't hold. */
  forkInto(dir: string): Promise<string[]> {
    const held = { layers: this.#view, entries: this.#entries, gitBeside: this.#gitBeside };
    return this.#exclusive(() => forkCopy({ dir, ...held }));
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
      this.#notes.reading = newReading();
      return run();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #absorb(): Promise<ScanResult> {
    const { problems } = await this.#tree.absorb(this.#counts);
    for (const git of this.#gitBeside) problems.push(...(await git.absorb()));
    return { problems };
  }

  async #resume(settling: Settled | undefined): Promise<void> {
    await this.#loadPending();
    await writePending(this.#view);
    if (settling) return this.#settle(settling);
    this.#unsaid.push(...(await this.#absorb()).problems);
    for (const [path, entry] of this.#entries) {
      if (entry.kind === 'change')
        this.#entries.set(path, { ...entry, agent: await this.#view.read(path, undefined, this.#notes.reading) });
    }
    const startedAtMs = Number(await readFile(this.#running, 'utf8').catch(() => ''));
    if (startedAtMs > 0) await this.#scan({ startedAtMs });
  }

  async #settle(next: Settled): Promise<void> {
    await settleUpper({
      layers: this.#view,
      counts: this.#counts,
      next,
      aside: this.#aside,
      isConcealed: this.#isConcealed,
    });
    await writePending(this.#view);
    for (const [path, { kind }] of this.#entries)
      if (kind !== 'hidden' && kind !== 'masked') this.#entries.delete(path);
    this.#unsaved.forget();
    for (const [path, { base, agent }] of next) await this.#notes.note(path, base, undefined, readingLike(agent));
    await this.#save();
    await this.#record.forgetTexts();
    await this.#tree.sweep(this.#counts);
  }

  async #scan(options: { startedAtMs: number; merged?: string }): Promise<ScanResult> {
    await this.#loadPending();
    const { startedAtMs } = options;
    const found = await scanUpper({
      layers: this.#view,
      counts: this.#counts,
      known: this.#entries,
      isConcealed: this.#isConcealed,
      ...options,
    });
    const located = (status: BigIntStats | undefined): Located =>
      status ? { in: 'upper', status } : { in: 'nowhere' };
    await inBatches([...found.paths], ([path, status]) => this.#notes.examine(path, located(status), startedAtMs));
    if (found.isTruncated) {
      found.problems.push('The copy holds more files than are looked at; some changes are not listed.');
    } else {
      const unseen = [...this.#entries.keys()].filter((path) => !found.paths.has(path));
      await inBatches(unseen, async (path) => this.#notes.examine(path, await this.#view.locate(path), startedAtMs));
    }
    if (this.#notes.reading.unread > 0) {
      found.problems.push(
        `${this.#notes.reading.unread} files are too large to be read; their size and time are compared.`,
      );
    }
    await this.#save();
    await rm(this.#running, { force: true });
    this.#secrets.lookSoon();
    return { problems: [...this.#unsaid.splice(0), ...found.problems] };
  }

  async #baseForWrite(path: string, state: FileState): Promise<FileState | 'unknown'> {
    const problem = pathProblem(path);
    if (problem !== undefined) throw new Error(`${path} ${problem}`);
    if (state.kind !== 'text' && state.kind !== 'absent') throw new Error(`${path}: only text can be written`);
    const hides = await this.#showsSecret(path);
    const now: FileState = hides ? { kind: 'absent' } : await this.#view.read(path, this.#buffers);
    if (await this.#view.isFolder(path)) throw new Error(`${path} is a folder`);
    if (state.kind === 'text' && now.kind !== 'text' && now.kind !== 'absent') {
      throw new Error(`${path} is no text file`);
    }
    const entry = this.#entries.get(path);
    if (entry?.kind === 'change') return entry.base;
    return (await this.#secrets.has(path)) ? 'unknown' : now;
  }

  /** Not hidden yet, but not to be shown. */
  async #showsSecret(path: string): Promise<boolean> {
    return (await this.hides(path, this.#buffers.get(path))) && (await this.#view.locate(path)).in === 'lower';
  }

  readonly #isConcealed = (path: string): boolean => isConcealed(this.#entries, path);

  /** The edit that has put unsaved texts in; not those of secrets. */
  async #refreshed(buffers: ReadonlyMap<string, string>): Promise<UpperEdit> {
    await this.#loadPending();
    const shown = new Map<string, string>();
    for (const [path, text] of buffers) if (!(await this.hides(path, text))) shown.set(path, text);
    this.#buffers = shown;
    const edit = this.#edit();
    await this.#unsaved.refresh(edit, shown);
    return edit;
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
