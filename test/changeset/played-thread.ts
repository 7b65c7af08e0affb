/**
 * A thread as its pure part sees it: the user types, the agent edits its copy, hunks are decided, applies are undone, turns
 * follow each other. After every move it is checked that nothing the user typed is gone, and that the review makes sense.
 */
import { expect } from 'vitest';
import { absent, type FileState, sameState } from '../../server/changeset/file-state.ts';
import { splitLines } from '../../server/changeset/lines.ts';
import { acceptOutcomes, nextCopy } from '../../server/changeset/outcome.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import type { CopyChange, FileOutcome, Review, ReviewHunk } from '../../server/changeset/review-types.ts';
import { text } from './states.ts';
import { edited, type TextEdit } from './typed-text.ts';

type Applied = { outcomes: readonly FileOutcome[] };

export class PlayedThread {
  readonly user = new Map<string, FileState>();
  readonly copy = new Map<string, CopyChange>();
  readonly decisions = new Map<string, 'accepted' | 'rejected'>();
  readonly applies: Applied[] = [];
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
    this.isRunning = false;
    const outcomes = acceptOutcomes(this.review(), new Set(ids), { overMine });
    for (const { path, from, before, after } of outcomes) {
      expect(this.at(from ?? path)).toEqual(before);
      if (from !== undefined) this.user.delete(from);
      this.userDoes(path, after);
    }
    for (const id of outcomes.flatMap(({ hunks }) => hunks)) this.decisions.set(id, 'accepted');
    if (outcomes.length > 0) this.applies.push({ outcomes });
  }

  reject(ids: readonly string[]): void {
    this.isRunning = false;
    for (const id of ids) this.decisions.set(id, 'rejected');
  }

  /** Takes the latest apply back where the text is still what was applied; whether all of it was. */
  undo(): boolean {
    this.isRunning = false;
    const last = this.applies.pop();
    let isWhole = true;
    for (const { path, from, before, after, hunks } of last?.outcomes ?? []) {
      if (!sameState(this.at(path), after) || (from !== undefined && this.at(from).kind !== 'absent')) {
        isWhole = false;
        continue;
      }
      this.userDoes(path, from === undefined ? before : absent);
      if (from !== undefined) this.userDoes(from, before);
      for (const id of hunks) this.decisions.delete(id);
    }
    return isWhole;
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
    other.applies.push(...this.applies);
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
