/** Pending hunks and approvals as diagnostics, so that every editor can list them and jump to them. */
import { join } from 'node:path';
import type { Diagnostic } from 'vscode-languageserver';
import type { ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import type { Approval } from '../protocol/thread.ts';
import type { Activity } from './activity.ts';
import { described } from './announce.ts';
import { oneLine } from './one-line.ts';
import { isUndecided, linesOf, type Reviews } from './reviews.ts';
import type { Session } from './session.ts';
import { approvalsHere } from './threads.ts';

const information = 3;
const warning = 2;
/** More in one file help nobody. */
const perFileMax = 500;
const approvalCharsMax = 2000;

export class Diagnostics {
  readonly #session: Session;
  readonly #reviews: Reviews;
  readonly #activity: Activity;
  /** What was last sent, by URI. */
  readonly #published = new Map<string, string>();

  constructor(session: Session, reviews: Reviews, activity: Activity) {
    this.#session = session;
    this.#reviews = reviews;
    this.#activity = activity;
  }

  /** Sends what differs from what was sent before. */
  publish(): void {
    const wanted = new Map<string, Shown[]>();
    const add = (path: string, ...shown: readonly Shown[]): void => {
      const uri = this.#session.documents.at(path)?.uri ?? this.#session.folders.uriFor(path);
      wanted.set(uri, [...(wanted.get(uri) ?? []), ...shown]);
    };
    if (this.#session.settings.reviewDiagnostics) {
      for (const path of this.#reviews.paths()) add(path, ...this.#reviews.at(path).map(({ file }) => shownOf(file)));
    }
    for (const approval of approvalsHere(this.#session)) {
      const { root, origin } = this.#activity.get(approval.threadId) ?? {};
      if (root !== undefined && origin && approval.kind !== 'changes')
        add(join(root, origin.path), shown([ofApproval(approval, origin.line)]));
    }
    for (const uri of this.#published.keys()) if (!wanted.has(uri)) wanted.set(uri, []);
    for (const [uri, shown] of wanted) this.#send(uri, shown);
  }

  #send(uri: string, shown: readonly Shown[]): void {
    const text = shown.map((one) => one.text).join('');
    if ((this.#published.get(uri) ?? '') === text) return;
    const diagnostics = shown.flatMap((one) => one.diagnostics);
    if (diagnostics.length === 0) this.#published.delete(uri);
    else this.#published.set(uri, text);
    this.#session.client.notify('textDocument/publishDiagnostics', { uri, diagnostics });
  }
}

/** `text`: to be compared with what was sent before. */
type Shown = { diagnostics: readonly Diagnostic[]; text: string };

const shown = (diagnostics: readonly Diagnostic[]): Shown => ({ diagnostics, text: JSON.stringify(diagnostics) });

/** Of the files of a large review, few have changed when it is made again: the others are the same values. */
const made = new WeakMap<ReviewFile, Shown>();

function shownOf(file: ReviewFile): Shown {
  const known = made.get(file) ?? shown(ofFile(file));
  made.set(file, known);
  return known;
}

const ofFile = (file: ReviewFile): Diagnostic[] =>
  file.hunks
    .filter(isUndecided)
    .slice(0, perFileMax)
    .map((hunk) => ({
      ...place(hunk),
      severity: information,
      source: 'codex',
      code: hunk.id,
      message: describe(file, hunk),
    }));

function place(hunk: ReviewHunk): { range: Diagnostic['range'] } {
  const { first, last } = linesOf(hunk);
  // The last line's own text is not known here, and a range may not end beyond it: it ends where that line begins.
  return { range: { start: { line: first, character: 0 }, end: { line: last, character: last > first ? 0 : 1 } } };
}

/** `+3 -1 first changed line`. */
export function describe(file: ReviewFile, hunk: ReviewHunk): string {
  const conflict = hunk.status === 'conflicting' ? 'conflict with your text: ' : '';
  if (hunk.oldLines.length + hunk.newLines.length === 0) return `${conflict}${wholeFile(file)}`;
  const changed =
    hunk.newLines.find((line) => line.trim() !== '' && !hunk.oldLines.includes(line)) ??
    hunk.newLines[0] ??
    hunk.oldLines[0] ??
    '';
  return oneLine(`${conflict}+${hunk.newLines.length} -${hunk.oldLines.length} ${changed.trim()}`, 160);
}

function wholeFile({ kind, path, from, agent, tooLarge }: ReviewFile): string {
  if (kind === 'rename') return `renamed from ${from ?? 'another path'} to ${path}`;
  if (kind === 'create' || kind === 'delete') return `${kind}d`;
  if (tooLarge) return 'changed, and too large to show';
  return agent.kind === 'binary' ? 'binary content changed' : 'mode changed';
}

const ofApproval = (approval: Approval, line: number): Diagnostic => ({
  range: { start: { line, character: 0 }, end: { line, character: 1 } },
  severity: warning,
  source: 'codex',
  code: approval.approvalId,
  message: `asks${approval.unsandboxed ? ' (no sandbox)' : ''}: ${oneLine(described(approval), approvalCharsMax)}. Answer with a code action.`,
});
