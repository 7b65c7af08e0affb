/** The pending hunks of the workspace, looked up by file: refreshed when something changed, never when someone asks. */
import { join } from 'node:path';
import type { LineChange } from '../changeset/line-change.ts';
import type { Review, ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import type { OpenDocuments } from '../task/ports.ts';
import { Refusal } from '../task/refusal.ts';
import type { Tasks } from '../task/tasks.ts';
import type { Documents } from './documents.ts';
import { MovingFile } from './moving-file.ts';

/** `touched`: ids of hunks that the user has typed in or beside since: what became of them is known in a moment. */
export type FileInReview = { threadId: string; root: string; file: ReviewFile; touched: ReadonlySet<string> };
type Thread = {
  threadId: string;
  root: string;
  review: Review;
  /** Those with something undecided, by absolute path. */
  files: ReadonlyMap<string, MovingFile>;
  /** By absolute path, those in which a hunk comes back when what the user has typed is taken back. */
  settled: ReadonlyMap<string, string>;
  timer?: NodeJS.Timeout;
  /** What the next read looks at: all, or the user's files that were typed in. */
  wanted: 'all' | ReadonlySet<string>;
  /** The last of the reads, each of which waits for the one before. */
  reading: Promise<void>;
};
/** Without `lines`, nobody knows what changed. */
type Typed = { path: string; lines: readonly LineChange[] | undefined };

const afterEventMs = 30;
const afterTypingMs = 250;

export class Reviews {
  readonly #threads = new Map<string, Thread>();
  readonly #listeners = new Set<(threadId: string) => void>();
  readonly #tasks: Tasks;
  readonly #documents: Pick<Documents, 'under' | 'at'>;
  readonly #failed: (error: unknown) => void;
  #readers = 0;
  /** While somebody reads: their answer is about a text from before. */
  #typed: Typed[] = [];
  #closed = false;

  constructor(tasks: Tasks, documents: Pick<Documents, 'under' | 'at'>, failed: (error: unknown) => void) {
    this.#tasks = tasks;
    this.#documents = documents;
    this.#failed = failed;
  }

  /** What is in review in the file at this absolute path, where it stands now; look-ups only. */
  at(path: string): FileInReview[] {
    return [...this.#threads.values()].flatMap(({ threadId, root, files }) => {
      const moving = files.get(path);
      return moving ? [{ threadId, root, file: moving.file, touched: moving.touched }] : [];
    });
  }

  of(threadId: string): Review | undefined {
    return this.#threads.get(threadId)?.review;
  }

  /** Threads with at least one pending or conflicting hunk. */
  open(): { threadId: string; root: string; review: Review }[] {
    return [...this.#threads.values()].filter(({ files }) => files.size > 0);
  }

  paths(): string[] {
    return [...new Set([...this.#threads.values()].flatMap(({ files }) => [...files.keys()]))];
  }

  /** Soon, once, however often it is called until then. */
  refresh(threadId: string, root: string): void {
    if (this.#closed) return;
    const thread = this.#thread(threadId, root);
    thread.wanted = 'all';
    this.#readIn(thread, afterEventMs);
  }

  /** Now; resolves when what there is to decide can be looked up. */
  async refreshed(threadId: string, root: string): Promise<void> {
    if (this.#closed) return;
    const thread = this.#thread(threadId, root);
    thread.wanted = 'all';
    clearTimeout(thread.timer);
    await this.#read(thread);
  }

  /** The text of an open document changed, in these lines: its hunks move with them, and are reviewed after a pause. */
  typed(path: string, lines: readonly LineChange[]): void {
    if (lines.length > 0) this.#changed({ path, lines });
  }

  /** A document was opened or closed: its text may be another than the one that was reviewed. */
  replaced(path: string): void {
    this.#changed({ path, lines: undefined });
  }

  /** Its hunks can't be decided now: a turn is running, or the thread is gone. */
  clear(threadId: string): void {
    const thread = this.#threads.get(threadId);
    if (!thread) return;
    clearTimeout(thread.timer);
    this.#threads.delete(threadId);
    this.#tell(threadId);
  }

  onChange(listener: (threadId: string) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#threads.values()) clearTimeout(timer);
  }

  #thread(threadId: string, root: string): Thread {
    const known = this.#threads.get(threadId);
    const nothing = { review: { files: [] }, files: new Map(), settled: new Map(), reading: Promise.resolve() };
    const thread: Thread = known ?? { threadId, root, ...nothing, wanted: new Set<string>() };
    this.#threads.set(threadId, thread);
    return thread;
  }

  #changed(typed: Typed): void {
    if (this.#readers > 0) this.#typed.push(typed);
    for (const thread of this.#threads.values()) {
      const userPath = this.#outdated(thread, typed.path, [typed]);
      if (userPath !== undefined) this.#want(thread, userPath, typed.lines ? afterTypingMs : afterEventMs);
    }
  }

  /** Which of the thread's files has to be reviewed again after these changes of one, if any. */
  #outdated({ files, settled }: Thread, path: string, typed: readonly Typed[]): string | undefined {
    const moving = files.get(path);
    if (!moving) return settled.get(path);
    return this.#move(moving, path, typed) ? moving.file.userPath : undefined;
  }

  #want(thread: Thread, userPath: string, delayMs: number): void {
    // What is read soon for another cause is not put off by typing.
    if (thread.wanted === 'all') return;
    thread.wanted = new Set([...thread.wanted, userPath]);
    if (!this.#closed) this.#readIn(thread, delayMs);
  }

  /** Whether the text is another now than the one that was reviewed. */
  #move(moving: MovingFile, path: string, typed: readonly Typed[]): boolean {
    if (typed.every(({ lines }) => lines)) {
      for (const { lines } of typed) moving.move(lines);
      return true;
    }
    const isSame = moving.isOf(this.#documents.at(path)?.getText());
    if (isSame) moving.settle();
    else moving.move(undefined);
    return !isSame;
  }

  #readIn(thread: Thread, delayMs: number): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => void this.#read(thread), delayMs);
    thread.timer.unref();
  }

  #read(thread: Thread): Promise<void> {
    thread.reading = thread.reading.then(async () => {
      const only = thread.wanted === 'all' ? undefined : thread.wanted;
      thread.wanted = new Set();
      this.#readers += 1;
      let typedBefore = this.#typed.length;
      let texts: ReturnType<OpenDocuments['under']> = new Map();
      const documents: OpenDocuments = {
        under: (root) => {
          typedBefore = this.#typed.length;
          texts = this.#documents.under(root);
          return texts;
        },
      };
      try {
        const review = await this.#tasks.review(thread.threadId, documents, only);
        this.#take(thread, review, texts, this.#typed.slice(typedBefore));
      } catch (error) {
        this.#take(thread, { files: [] }, texts, []);
        const isDeleted = error instanceof Refusal && error.reason === 'unknownThread';
        // Of an editor that has left, nobody reads the review any more.
        if (!isDeleted && !this.#closed) this.#failed(error);
      } finally {
        this.#readers -= 1;
        if (this.#readers === 0) this.#typed = [];
      }
    });
    return thread.reading;
  }

  /** `typed`: after the `texts` that were reviewed. Where everything is as it was shown before, nobody is told. */
  #take(thread: Thread, review: Review, texts: ReturnType<OpenDocuments['under']>, typed: readonly Typed[]): void {
    const files = new Map<string, MovingFile>();
    let isNew = false;
    for (const file of review.files.filter(({ hunks }) => hunks.some(isUndecided))) {
      const path = join(thread.root, file.userPath);
      const before = thread.files.get(path);
      isNew ||= before?.shows(file) !== true;
      files.set(path, new MovingFile(file, texts.get(file.userPath)?.text));
    }
    isNew ||= files.size !== thread.files.size;
    thread.review = review;
    thread.files = files;
    thread.settled = new Map(review.settled?.map((userPath) => [join(thread.root, userPath), userPath]));
    const isCurrent = this.#threads.get(thread.threadId) === thread;
    for (const [path, changes] of Map.groupBy(typed, ({ path }) => path)) {
      const userPath = this.#outdated(thread, path, changes);
      // Before this review, the file may have been none of the thread's: nobody has asked for the next one yet.
      const isWanted = thread.wanted === 'all' || userPath === undefined || thread.wanted.has(userPath);
      if (!isWanted && isCurrent) this.#want(thread, userPath, afterTypingMs);
    }
    if (isNew && !this.#closed && isCurrent) this.#tell(thread.threadId);
  }

  #tell(threadId: string): void {
    for (const listener of this.#listeners) listener(threadId);
  }
}

export const isUndecided = ({ status }: ReviewHunk): boolean => status === 'pending' || status === 'conflicting';

/** The first and last line, 0-based, that a hunk is shown on; an insertion on the line it follows. */
export function linesOf({ line, oldLines, userLines = oldLines }: ReviewHunk): { first: number; last: number } {
  if (userLines.length === 0) return { first: Math.max(0, line - 1), last: Math.max(0, line - 1) };
  return { first: line, last: line + userLines.length - 1 };
}

/** Undecided hunks that a selection of lines touches; an insertion stands between two lines and belongs to both. */
export function hunksAt({ file, touched }: FileInReview, first: number, last: number): ReviewHunk[] {
  return file.hunks.filter((hunk) => {
    const lines = linesOf(hunk);
    const isHere = lines.first <= last && Math.max(lines.last, hunk.line) >= first;
    return isHere && isUndecided(hunk) && !touched.has(hunk.id);
  });
}
