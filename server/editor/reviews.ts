/** The pending hunks of the workspace, looked up by file: refreshed when something changed, never when someone asks. */
import { join } from 'node:path';
import type { Review, ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import type { OpenDocuments } from '../task/ports.ts';
import { Refusal } from '../task/refusal.ts';
import type { Tasks } from '../task/tasks.ts';

export type FileInReview = { threadId: string; root: string; file: ReviewFile };
type Thread = {
  threadId: string;
  root: string;
  review: Review;
  timer?: NodeJS.Timeout;
  /** The last of the reads, each of which waits for the one before. */
  reading: Promise<void>;
};

const afterEventMs = 30;
const afterTypingMs = 250;

export class Reviews {
  readonly #threads = new Map<string, Thread>();
  readonly #listeners = new Set<(threadId: string) => void>();
  readonly #tasks: Tasks;
  readonly #documents: OpenDocuments;
  readonly #failed: (error: unknown) => void;
  #byPath = new Map<string, FileInReview[]>();
  #closed = false;

  constructor(tasks: Tasks, documents: OpenDocuments, failed: (error: unknown) => void) {
    this.#tasks = tasks;
    this.#documents = documents;
    this.#failed = failed;
  }

  /** What is in review in the file at this absolute path; a map look-up. */
  at(path: string): readonly FileInReview[] {
    return this.#byPath.get(path) ?? [];
  }

  of(threadId: string): Review | undefined {
    return this.#threads.get(threadId)?.review;
  }

  /** Threads with at least one pending or conflicting hunk. */
  open(): { threadId: string; root: string; review: Review }[] {
    return [...this.#threads.values()].filter(({ review }) => isOpen(review));
  }

  paths(): string[] {
    return [...this.#byPath.keys()];
  }

  /** Soon, once, however often it is called until then. */
  refresh(threadId: string, root: string, cause: 'event' | 'typing' = 'event'): void {
    if (this.#closed) return;
    const thread = this.#thread(threadId, root);
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => void this.#read(thread), cause === 'event' ? afterEventMs : afterTypingMs);
    thread.timer.unref();
  }

  /** Now; resolves when what there is to decide can be looked up. */
  async refreshed(threadId: string, root: string): Promise<void> {
    if (this.#closed) return;
    const thread = this.#thread(threadId, root);
    clearTimeout(thread.timer);
    await this.#read(thread);
  }

  /** A document changed: the hunks in it may stand elsewhere now. */
  touched(path: string): void {
    for (const { threadId, root } of this.at(path)) this.refresh(threadId, root, 'typing');
  }

  /** Its hunks can't be decided now: a turn is running, or the thread is gone. */
  clear(threadId: string): void {
    const thread = this.#threads.get(threadId);
    if (!thread) return;
    clearTimeout(thread.timer);
    this.#threads.delete(threadId);
    this.#index(threadId);
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
    const thread = known ?? { threadId, root, review: { files: [] }, reading: Promise.resolve() };
    this.#threads.set(threadId, thread);
    return thread;
  }

  #read(thread: Thread): Promise<void> {
    thread.reading = thread.reading.then(async () => {
      try {
        thread.review = await this.#tasks.review(thread.threadId, this.#documents);
      } catch (error) {
        thread.review = { files: [] };
        const isDeleted = error instanceof Refusal && error.reason === 'unknownThread';
        // Of an editor that has left, nobody reads the review any more.
        if (!isDeleted && !this.#closed) this.#failed(error);
      }
      if (!this.#closed && this.#threads.get(thread.threadId) === thread) this.#index(thread.threadId);
    });
    return thread.reading;
  }

  #index(threadId: string): void {
    const byPath = new Map<string, FileInReview[]>();
    for (const { threadId, root, review } of this.#threads.values()) {
      for (const file of review.files.filter(({ hunks }) => hunks.some(isUndecided))) {
        const path = join(root, file.userPath);
        byPath.set(path, [...(byPath.get(path) ?? []), { threadId, root, file }]);
      }
    }
    this.#byPath = byPath;
    for (const listener of this.#listeners) listener(threadId);
  }
}

export const isUndecided = ({ status }: ReviewHunk): boolean => status === 'pending' || status === 'conflicting';
const isOpen = (review: Review): boolean => review.files.some(({ hunks }) => hunks.some(isUndecided));

/** The first and last line, 0-based, that a hunk is shown on; an insertion on the line it follows. */
export function linesOf({ line, oldLines }: ReviewHunk): { first: number; last: number } {
  if (oldLines.length === 0) return { first: Math.max(0, line - 1), last: Math.max(0, line - 1) };
  return { first: line, last: line + oldLines.length - 1 };
}

/** Undecided hunks that a selection of lines touches; an insertion stands between two lines and belongs to both. */
export function hunksAt(file: ReviewFile, first: number, last: number): ReviewHunk[] {
  return file.hunks.filter((hunk) => {
    const lines = linesOf(hunk);
    return isUndecided(hunk) && lines.first <= last && Math.max(lines.last, hunk.line) >= first;
  });
}
