/** The one line a person reads when a turn ends, when something is asked, when changes were applied. */
import { visible } from '../policy/visible.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import type { Approval, Grant, ThreadEventOf } from '../protocol/thread.ts';
import { firstLine, oneLine, plural } from './one-line.ts';

export type Line = { severity: 'info' | 'warning' | 'error'; text: string };
export type Counts = { files: number; additions: number; deletions: number };

/** With Neovim's `LSP[codex] ` before it, it must fit into a line: a second one asks for a key, and swallows it. */
const turnCharsMax = 90;
const saidCharsMin = 20;
const grantsCharsMax = 1000;

/** `unsandboxed`: its commands ran without a sandbox, which is never left unsaid. */
export const speaker = (unsandboxed: boolean | undefined): string => (unsandboxed ? 'Codex (no sandbox)' : 'Codex');

/** `counts`: what waits for review. `hint`: a sentence on how it is seen. */
export function turnLine(
  { status, summary, error }: ThreadEventOf<'turnCompleted'>,
  title: string,
  counts: Counts | undefined,
  { unsandboxed, hint = '' }: { unsandboxed?: boolean; hint?: string } = {},
): Line {
  const codex = speaker(unsandboxed);
  const name = oneLine(title, 50);
  const after = hint && ` ${hint}`;
  const review = counts && counts.files > 0 ? reviewText(counts) : '';
  if (status === 'failed')
    return {
      severity: 'error',
      text: `${codex}: “${name}” failed: ${error?.message ?? 'unknown reason'}${review && `. ${review}`}`,
    };
  if (status === 'interrupted')
    return { severity: 'info', text: `${codex}: “${name}” was stopped.${review && ` ${review}`}${after}` };
  const said = oneLine(firstLine(summary ?? ''), 160) || `“${name}” is done.`;
  const found = review || (counts ? 'No changes.' : '');
  const head = `${codex}:${found && ` ${found}`}`;
  const textMax = turnCharsMax - after.length;
  // What waits for review is never cut, and of a few letters nobody learns what was done.
  const isTold = !found || !hint || textMax - head.length > Math.min(said.length, saidCharsMin);
  return { severity: 'info', text: `${isTold ? oneLine(`${head} ${said}`, textMax) : head}${after}` };
}

const reviewText = ({ files, additions, deletions }: Counts): string =>
  `${plural(files, 'file')} to review (+${additions} -${deletions}).`;

export function approvalLine({ approvalId, title, reason, unsandboxed }: Approval): Line {
  const why = reason ? ` (${oneLine(reason, 40)})` : '';
  const text = `${speaker(unsandboxed)} asks: ${oneLine(title, 60)}${why}. Answer by a code action or codex.approve ${approvalId}.`;
  return { severity: 'warning', text };
}

/** All that a person is to know before they answer. */
export const described = ({ title, detail, reason }: Approval): string =>
  [title, ...(reason ? [`(${reason})`] : []), ...(detail ? [`· ${detail}`] : [])].join(' ');

export function grantsLine(grants: readonly Grant[]): string {
  if (grants.length === 0) return 'Codex: nothing is allowed for the rest of a thread.';
  const each = grants.map(({ grantId, kind, command = '', cwd, hosts = [], paths = [] }) => {
    const where = cwd ? ` (in ${cwd})` : '';
    return `${kind} ${visible(kind === 'command' ? command + where : [...hosts, ...paths].join(', '))} [${grantId}]`;
  });
  return oneLine(`Codex: allowed, until codex.revoke takes it back: ${each.join('; ')}`, grantsCharsMax);
}

/** Open files that the server wrote, and how this editor shows what is on disk now; and those that it removed. */
export type WrittenWhileOpen = { changed: readonly string[]; gone: readonly string[]; reload: string };

export function applyLine(what: 'applied' | 'undone', result: ApplyResult, written: WrittenWhileOpen): Line {
  const { applied, conflicts, failed } = result;
  const done = what === 'applied' ? 'applied to' : 'undone in';
  const parts = [applied.length > 0 || conflicts.length + failed.length === 0 ? `${done} ${names(applied)}` : ''];
  if (conflicts.length > 0)
    parts.push(`${plural(conflicts.length, 'conflict')} in ${names(conflicts.map(({ path }) => path))}`);
  for (const { path, reason } of failed.slice(0, 3)) parts.push(`${path} failed: ${reasonText(reason)}`);
  if (failed.length > 3) parts.push(`${failed.length - 3} more failed`);
  if (written.changed.length > 0) parts.push(`${names(written.changed)} changed on disk: ${written.reload}`);
  if (written.gone.length > 0) parts.push(`${names(written.gone)} no longer on disk: close it`);
  const severity = conflicts.length + failed.length > 0 ? 'warning' : 'info';
  return { severity, text: `Codex: ${parts.filter((part) => part !== '').join('; ')}.` };
}

/** `paths`: of each rejected hunk. */
export const rejectLine = (paths: readonly string[]): Line => ({
  severity: 'info',
  text: `Codex: ${plural(paths.length, 'hunk')} rejected in ${names(paths)}.`,
});

function names(paths: readonly string[]): string {
  const unique = [...new Set(paths)];
  return unique.length <= 3
    ? unique.join(', ') || 'nothing'
    : `${unique.slice(0, 2).join(', ')} and ${unique.length - 2} more files`;
}

function reasonText(reason: string): string {
  if (reason === 'stale') return 'the text had changed meanwhile; accept it again';
  if (reason === 'unconfirmed') return 'the editor did not show the change in time';
  if (reason.startsWith('unconfirmed: ')) return oneLine(reason.slice('unconfirmed: '.length), 120);
  return oneLine(reason, 120);
}
