/** The actions offered at a place: look-ups only, and commands, never an edit. */
import type { CodeAction, Range } from 'vscode-languageserver';
import type { Approval } from '../protocol/thread.ts';
import type { Activity } from './activity.ts';
import { linesOf, selectionTasks } from './canned-tasks.ts';
import { findCommentTask } from './comment-task.ts';
import type { CodeActionRequest, SeenDiagnostic } from './from-lsp.ts';
import { firstLine, oneLine } from './one-line.ts';
import { reviewActions, reviewDocumentActions } from './review-actions.ts';
import { threadOfReview } from './review-file.ts';
import type { Reviews } from './reviews.ts';
import type { Session } from './session.ts';
import { taskDocumentAt } from './task-documents.ts';
import { approvalsHere } from './threads.ts';

/** The kinds an action can have here. Never `source`: editors may run all of those at every save. */
export const codeActionKinds = ['quickfix', 'refactor'];

const approvalsMax = 5;
const fixesMax = 3;

type Offered = Omit<CodeAction, 'diagnostics'> & { diagnostics?: SeenDiagnostic[] };

/** `title` follows `Codex: `. */
export function action(kind: string, title: string, command: string, argument?: object): CodeAction {
  const words = `Codex: ${title}`;
  return { title: words, kind, command: { title: words, command, arguments: argument ? [argument] : [] } };
}

export type Offering = { session: Session; activity: Activity; reviews: Reviews };

export function codeActions(
  { session, activity, reviews }: Offering,
  { textDocument, range, context }: CodeActionRequest,
): Offered[] {
  const { uri } = textDocument;
  const path = session.documents.pathOf(uri);
  const reviewed = path === undefined ? undefined : threadOfReview(session, path);
  const here = { uri, path, range };
  const parts: (() => Offered[])[] = reviewed
    ? [
        () => {
          const isRunning = activity.get(reviewed)?.turn !== undefined;
          return reviewDocumentActions({ session, reviews, isRunning }, reviewed, uri, range.start.line);
        },
      ]
    : [
        () => taskDocument(session, uri),
        () => comment(session, here),
        () => fixes(here, context?.diagnostics ?? []),
        () => reviewActions(reviews, path, range),
        () => selection(session, here),
      ];
  parts.push(
    () => approvals(session),
    () => elsewhere({ session, activity, reviews }, reviewed, uri),
  );
  return ofKinds(parts.flatMap(tolerant(session)), context?.only);
}

/** What is wrong with one thread must not take the actions of all others away. */
const tolerant =
  (session: Session) =>
  (part: () => Offered[]): Offered[] => {
    try {
      return part();
    } catch (error) {
      session.skipped('textDocument/codeAction', error);
      return [];
    }
  };

type Here = { uri: string; path: string | undefined; range: Range };

function taskDocument(session: Session, uri: string): CodeAction[] {
  return taskDocumentAt(session, uri) ? [action('quickfix', 'run this task', 'codex.runTaskDocument', { uri })] : [];
}

function comment(session: Session, { uri, range }: Here): CodeAction[] {
  const document = session.documents.get(uri);
  const found = document && findCommentTask(linesOf(document), range.start.line, session.settings.markers);
  if (!found) return [];
  return [action('quickfix', oneLine(found.prompt, 80), 'codex.runComment', { uri, line: range.start.line })];
}

function fixes({ uri, range }: Here, diagnostics: readonly SeenDiagnostic[]): Offered[] {
  const foreign = diagnostics.filter(({ source }) => source !== 'codex');
  const made = foreign.slice(0, fixesMax).map((diagnostic): Offered => {
    const title = `fix: ${oneLine(firstLine(told(diagnostic).message), 80)}`;
    return {
      ...action('quickfix', title, 'codex.fix', { uri, range, diagnostics: [told(diagnostic)] }),
      diagnostics: [diagnostic],
    };
  });
  if (foreign.length < 2) return made;
  return [
    ...made,
    action('quickfix', `fix all ${foreign.length} problems here`, 'codex.fix', {
      uri,
      range,
      diagnostics: foreign.map(told),
    }),
  ];
}

const severities = ['error', 'warning', 'information', 'hint'] as const;

const told = ({ range, severity, message, source }: SeenDiagnostic) => ({
  line: range.start.line,
  severity: severities[(severity ?? 1) - 1] ?? 'error',
  message: textOf(message),
  source: source ?? undefined,
});

/** LSP 3.18 has markup here as well. */
function textOf(message: unknown): string {
  if (typeof message === 'object' && message !== null && 'value' in message) return String(message.value);
  return String(message);
}

function selection(session: Session, { uri, range }: Here): CodeAction[] {
  const { start, end } = range;
  // Helix always selects the character under its cursor.
  if (start.line === end.line && end.character - start.character <= 1) return [];
  if (taskDocumentAt(session, uri)) return [];
  const about = { textDocument: { uri }, range };
  return [
    action('refactor', 'new task about the selection…', 'codex.runTask', about),
    ...selectionTasks.map(({ title, mode, prompt }) =>
      action('refactor', title, 'codex.runTask', { ...about, mode, prompt }),
    ),
  ];
}

function approvals(session: Session): CodeAction[] {
  return approvalsHere(session)
    .filter(({ kind }) => kind !== 'changes')
    .slice(0, approvalsMax)
    .flatMap(approvalActions);
}

export function approvalActions(approval: Approval): CodeAction[] {
  const { approvalId, kind, title, choices = [], unsandboxed } = approval;
  const what = `${oneLine(title, 80)}${unsandboxed ? ' (no sandbox)' : ''}`;
  const answer = (words: string, decision: string, text?: string): CodeAction =>
    action('quickfix', words, 'codex.approve', { approvalId, decision, answer: text });
  if (kind === 'question') {
    return [
      ...choices.map((choice) => answer(`answer “${oneLine(choice, 40)}”: ${what}`, 'accept', choice)),
      answer(`decline to answer: ${what}`, 'decline'),
    ];
  }
  return [
    answer(`allow once: ${what}`, 'accept'),
    answer(`allow for this thread: ${what}`, 'acceptForThread'),
    answer(`deny: ${what}`, 'decline'),
  ];
}

/** What can be done wherever the cursor stands: always at least two, for some editors run a single one unasked. */
function elsewhere({ session, activity, reviews }: Offering, reviewed: string | undefined, uri: string): CodeAction[] {
  const open = reviews.open().filter(({ threadId }) => threadId !== reviewed);
  const titleOf = (threadId: string): string => oneLine(activity.get(threadId)?.title ?? '', 50);
  const isOurs = reviewed !== undefined || taskDocumentAt(session, uri) !== undefined;
  const running = activity.running().filter((thread) => session.folders.concerns(thread));
  return [
    ...open.map(({ threadId }) => {
      const which = open.length > 1 ? `: ${titleOf(threadId) || threadId}` : '';
      return action('refactor', `open review${which}`, 'codex.openReview', { threadId });
    }),
    ...running.map(({ threadId }) =>
      action('refactor', `cancel: ${titleOf(threadId) || threadId}`, 'codex.cancel', { threadId }),
    ),
    action('refactor', 'new task…', 'codex.runTask', isOurs ? undefined : { textDocument: { uri } }),
    action('refactor', 'status', 'codex.status'),
  ];
}

function ofKinds(actions: readonly Offered[], only: readonly string[] | null | undefined): Offered[] {
  if (!only || only.length === 0) return [...actions];
  const wanted = (kind: string): boolean =>
    only.some((one) => one === '' || kind === one || kind.startsWith(`${one}.`));
  const kept = actions.filter(({ kind }) => wanted(kind ?? ''));
  const [single] = kept;
  // Nothing may stand alone.
  return kept.length === 1 && single?.kind ? [single, action(single.kind, 'status', 'codex.status')] : kept;
}
