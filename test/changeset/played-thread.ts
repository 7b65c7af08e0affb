/**
 * A thread as its pure part sees it: the user types, the agent edits its copy, hunks are decided or applied as edited,
 * applies are undone and redone, turns follow each other.
 */
import { expect } from 'vitest';
import { type AppliedChange, appliedChange, type Carried, carry, placesOf } from '../../server/changeset/applied.ts';
import { type EditedOutcomes, editedOutcomes } from '../../server/changeset/edited-outcome.ts';
import { absent, type FileState, sameState } from '../../server/changeset/file-state.ts';
import { splitLines } from '../../server/changeset/lines.ts';
import { acceptOutcomes, nextCopy } from '../../server/changeset/outcome.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import type { CopyChange, FileOutcome, Review, ReviewHunk } from '../../server/changeset/review-types.ts';
import { contentsOf, text } from './states.ts';
import { edited, type TextEdit } from './typed-text.ts';

/** `isLeft`: what an undo or redo could not take along. */
type Entry = { files: readonly AppliedChange[]; isLeft?: true };

export type CarriedFile = Carried & { whole: AppliedChange };

export class PlayedThread {
  readonly user = new Map<string, FileState>();
  readonly copy = new Map<string, CopyChange>();
  readonly decisions = new Map<string, 'accepted' | 'rejected'>();
  /** As the log of a thread: the latest at the end. */
  readonly stacks: Readonly<Record<'applied' | 'undone', Entry[]>> = { applied: [], undone: [] };
  /** The agent edits on, and nothing was decided since it began. */
  isRunning = false;
  #tokens = 0;

  constructor(files: Readonly<Record<string, string>>) {
    for (const [path, content] of Object.entries(files)) this.user.set(path, text(content));
  }

  at(path: string): FileState {
    return this.user.get(path) ?? absent;
  }

  review(): Review {
    const states = new Map([...this.copy.keys()].map((path) => [path, this.at(path)] as const));
    return reviewOf([...this.copy.values()], states, this.decisions);
  }

  /** The marks of what the user has typed and not deleted, by path. */
  typed(): ReadonlySet<string> {
    return new Set([...this.user.values()].flatMap(tokensIn));
  }

  userEdits(path: string, edit: TextEdit): void {
    const now = this.at(path);
    if (now.kind === 'text') this.user.set(path, { ...now, text: edited(now.text, edit, `⟦u${this.#tokens++}⟧`) });
    else this.user.set(path, text(`⟦u${this.#tokens++}⟧\n`));
  }

  userDoes(path: string, to: FileState): void {
    if (to.kind === 'absent') this.user.delete(path);
    else this.user.set(path, to);
  }

  userRenames(path: string, to: string): void {
    const now = this.at(path);
    if (path === to || this.at(to).kind !== 'absent') return;
    this.user.delete(path);
    if (now.kind !== 'absent') this.user.set(to, now);
  }

  /** Accepted and rejected hunks leave the copy. */
  nextTurn(): void {
    const settled = nextCopy(this.review());
    this.copy.clear();
    for (const [path, entry] of settled) this.copy.set(path, { path, ...entry });
    this.decisions.clear();
    this.isRunning = true;
  }

  agentOf(path: string): FileState {
    return this.copy.get(path)?.agent ?? this.at(path);
  }

  agentEdits(path: string, edit: TextEdit): void {
    const now = this.agentOf(path);
    const mark = `«a${this.#tokens++}»`;
    if (now.kind === 'text') this.agentDoes(path, { ...now, text: edited(now.text, edit, mark) });
    else if (now.kind === 'absent') this.agentDoes(path, text(`${mark}\n`));
  }

  agentDoes(path: string, agent: FileState): void {
    const base = this.copy.get(path)?.base ?? this.at(path);
    if (base !== 'unknown' && sameState(base, agent)) this.copy.delete(path);
    else this.copy.set(path, { path, base, agent });
  }

  agentRenames(path: string, to: string): void {
    const now = this.agentOf(path);
    if (path === to || this.agentOf(to).kind !== 'absent' || now.kind === 'absent') return;
    this.agentDoes(to, now);
    this.agentDoes(path, absent);
  }

  /** Ids of hunks that are not pending, nor in conflict and to be put `overMine`, are ignored. */
  accept(ids: readonly string[], overMine = false): void {
    this.#apply(acceptOutcomes(this.review(), new Set(ids), { overMine }));
  }

  /** `review.diff` as the user finds it. */
  document(): string {
    return reviewDocument(this.review(), { title: 'Do it', threadId: 't1' }, this.#contents());
  }

  /** `written`: the document as it was found, `text`: what the user made of it. */
  applyAsEdited(text: string, written: string): EditedOutcomes {
    const made = editedOutcomes(this.review(), { text, written }, this.#contents());
    this.#apply(made.outcomes);
    return made;
  }

  #contents(): ReturnType<typeof contentsOf> {
    const copies = [...this.copy.values()].map(({ base, agent }) => ({
      base: base === 'unknown' ? absent : base,
      agent,
    }));
    return contentsOf(...copies, Object.fromEntries(this.user));
  }

  #apply(outcomes: readonly FileOutcome[]): void {
    this.isRunning = false;
    this.#write(outcomes);
    for (const id of outcomes.flatMap(({ hunks }) => hunks)) this.decisions.set(id, 'accepted');
    if (outcomes.length === 0) return;
    this.stacks.applied.push({ files: outcomes.map(appliedChange) });
    this.stacks.undone.length = 0;
  }

  #write(outcomes: readonly FileOutcome[]): void {
    for (const { path, from, before, after } of outcomes) {
      expect(this.at(from ?? path)).toEqual(before);
      if (from !== undefined) this.user.delete(from);
      this.userDoes(path, after);
    }
  }

  reject(ids: readonly string[]): void {
    this.isRunning = false;
    for (const id of ids) this.decisions.set(id, 'rejected');
  }

  /**
   * Takes the latest apply back, or does it again, file by file; what that came to. Entries of which nothing goes, and
   * which an earlier one had to leave, are passed over.
   */
  carry(what: 'undo' | 'redo'): readonly CarriedFile[] {
    const { applied, undone } = this.stacks;
    const [from, to] = what === 'undo' ? [applied, undone] : [undone, applied];
    const direction = what === 'undo' ? 'back' : 'forth';
    for (const [index, entry] of [...from.entries()].reverse()) {
      const carried = entry.files.map((whole): CarriedFile => {
        const { source, goal } = placesOf(whole, direction);
        return { whole, ...carry(whole, direction, this.at(source), source === goal ? absent : this.at(goal)) };
      });
      const done = carried.flatMap(({ done = [] }) => done);
      if (entry.isLeft && done.length === 0) continue;
      this.isRunning = false;
      this.#write(carried.flatMap(({ outcome = [] }) => outcome));
      const left = carried.flatMap(({ left = [] }) => left);
      from.splice(index, 1, ...(left.length > 0 ? [{ files: left, isLeft: true as const }] : []));
      if (done.length > 0) to.push({ files: done });
      for (const { id } of done.flatMap(({ hunks }) => hunks)) {
        if (what === 'undo') this.decisions.delete(id);
        else this.decisions.set(id, 'accepted');
      }
      return carried;
    }
    return [];
  }

  /** The user has changed nothing in the files that are in review, and nothing was accepted into them. */
  isUntouched(): boolean {
    return [...this.copy.values()].every(({ path, base }) => base !== 'unknown' && sameState(base, this.at(path)));
  }

  snapshot(): ReadonlyMap<string, FileState> {
    return new Map(this.user);
  }

  /** The same thread, to be played on in another way. */
  branch(): PlayedThread {
    const other = new PlayedThread({});
    for (const [path, state] of this.user) other.user.set(path, state);
    for (const [path, change] of this.copy) other.copy.set(path, change);
    for (const [id, status] of this.decisions) other.decisions.set(id, status);
    other.stacks.applied.push(...this.stacks.applied);
    other.stacks.undone.push(...this.stacks.undone);
    other.isRunning = this.isRunning;
    other.#tokens = this.#tokens;
    return other;
  }
}

export function tokensIn(state: FileState): string[] {
  return state.kind === 'text' ? (state.text.match(/⟦u\d+⟧/g) ?? []) : [];
}

/** Every hunk says what is so: a pending one what it replaces, a conflicting one what stands in its way. */
export function assertSound(review: Review): void {
  const ids = review.files.flatMap(({ hunks }) => hunks.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  for (const { user, hunks } of review.files) {
    const lines = user.kind === 'text' ? splitLines(user.text) : [];
    let done = 0;
    for (const hunk of hunks) {
      const { status, line, oldLines } = hunk;
      if (user.kind !== 'text') continue;
      if (status === 'pending' && !isWhole(hunk)) {
        expect(line).toBeGreaterThanOrEqual(done);
        expect(lines.slice(line, line + oldLines.length)).toEqual([...oldLines]);
        done = line + oldLines.length;
      }
      if (status === 'conflicting' && hunk.userLines) {
        expect(lines.slice(line, line + hunk.userLines.length)).toEqual([...hunk.userLines]);
      }
    }
  }
}

export const isWhole = ({ oldLines, newLines }: ReviewHunk): boolean => oldLines.length + newLines.length === 0;

/** `id status` of every undecided hunk, sorted. */
export const undecided = (review: Review): string[] =>
  review.files
    .flatMap(({ hunks }) => hunks)
    .filter(({ status }) => status === 'pending' || status === 'conflicting')
    .map(({ id, status }) => `${id} ${status}`)
    .sort();
