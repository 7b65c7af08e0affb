/** Accepted changes to open documents: versioned WorkspaceEdits, believed only when the text is seen to have changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceEdit } from 'vscode-languageserver';
import { byteOrderMark } from '../changeset/lines.ts';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { asShown } from './byte-order-mark.ts';
import type { Reply } from './client.ts';
import { giveBack } from './give-back.ts';
import type { Session } from './session.ts';
import { toTextEdits } from './to-lsp.ts';
import { type Seen, type Watch, type WatchedEdit, watchEdit } from './watch-edit.ts';

type Planned = ApplyPlan['editor'][number];
type Prepared = WatchedEdit & { path: string; uri: string };
/** Why an edit failed, by path; undefined where it has arrived. */
type Outcomes = Map<string, string | undefined>;
type Limits = { timeoutMs: number; timeout: Promise<void> };

/** The contract allows 10 s for the whole of an accept. */
const verifyTimeoutMs = 9_000;
/** After a refusal the text may still become right. */
const refusedGraceMs = 1_000;
/** After any answer, a text that has moved on may still get the edit: Emacs tells of changes half a second later. */
const movedGraceMs = 2_000;
const pollMs = 50;

const unconfirmed = 'unconfirmed';
const stale = 'stale';
const leftBefore = 'the editor left before it was asked';
/** It may live on, without us, and have done it. */
const leftMeanwhile = `${unconfirmed}: the editor left before it showed the change; what was unsaved went with it`;

/** See `Face.applyEdits`. */
export async function applyEdits(session: Session, root: string, planned: ApplyPlan['editor']): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const prepared: Prepared[] = [];
  for (const edit of planned) {
    const made = await prepare(session, root, edit);
    if (made === stale) outcomes.set(edit.path, session.gone.aborted ? leftBefore : stale);
    else prepared.push(made);
  }
  const timeoutMs = session.surroundings.verifyTimeoutMs ?? verifyTimeoutMs;
  const limits = { timeoutMs, timeout: delay(timeoutMs) };
  if (session.profile.versionCheck === 'firstOnly') {
    await Promise.all(prepared.map((edit) => send(session, [edit], limits, outcomes)));
  } else {
    await sendTogether(session, prepared, limits, outcomes);
  }
  return outcomes;
}

/** The edit against the text as it is now; or why there is none. */
async function prepare(session: Session, root: string, planned: Planned): Promise<Prepared | typeof stale> {
  const file = join(root, planned.path);
  const open = session.documents.at(file);
  if ((open?.version ?? null) !== planned.version) return stale;
  const saved = await readFile(file, 'utf8').catch(() => undefined);
  const text = open?.getText() ?? saved;
  if (text === undefined) return stale;
  const shown = asShown(saved ?? '', open?.getText());
  const before = shown.text(text);
  const lines = planned.edits.map(shown.edit);
  const { edits, after } = toTextEdits(before, lines);
  // A reload in the editor changes a text and keeps its version.
  if (planned.after.kind !== 'text' || after !== shown.text(planned.after.text)) return stale;
  return {
    path: planned.path,
    file,
    uri: open?.uri ?? session.folders.uriFor(file),
    version: planned.version,
    made: { before, after, lines, edits },
    savesIt: session.profile.savesEdits && saved !== undefined && shown.text(saved) === before,
  };
}
/** Where one document had moved on, an editor refuses the others with it: those are sent once more, without it. */
async function sendTogether(session: Session, all: readonly Prepared[], limits: Limits, to: Outcomes): Promise<void> {
  await send(session, all, limits, to);
  const again = all.filter((edit) => to.get(edit.path)?.startsWith(refusedBy) && isCurrent(session, edit));
  if (again.length > 0 && all.some(({ path }) => to.get(path) === stale)) await send(session, again, limits, to);
}

/** As one WorkspaceEdit. */
async function send(session: Session, edits: readonly Prepared[], limits: Limits, to: Outcomes): Promise<void> {
  if (session.gone.aborted) {
    for (const { path } of edits) to.set(path, leftBefore);
    return;
  }
  // What was prepared while another file was read from disk may have moved since.
  const current = edits.filter((edit) => isCurrent(session, edit));
  for (const { path } of edits) to.set(path, stale);
  if (current.length === 0) return;
  const watched = current.map((edit) => ({ edit, watch: watchEdit(session, edit) }));
  const reply = session.client.request(
    'workspace/applyEdit',
    { label: 'Codex', edit: workspaceEdit(current, session.profile.documentChanges) },
    { timeoutMs: limits.timeoutMs },
  );
  await Promise.all(
    watched.map(async ({ edit, watch }) => {
      to.set(edit.path, await outcomeOf(session, edit, watch, reply, limits));
      watch.stop();
    }),
  );
}

/** An answer of the editor proves nothing in half of them: the text decides. */
async function outcomeOf(
  session: Session,
  edit: Prepared,
  watch: Watch,
  reply: Promise<Reply>,
  { timeout }: Limits,
): Promise<string | undefined> {
  let isOver = false;
  const left = Promise.withResolvers<Seen | string>();
  const look = (): void => left.resolve(lastLook(edit));
  session.gone.addEventListener('abort', look, { once: true });
  const answered = async (): Promise<Seen | string> => {
    const said = await reply;
    if (!said.answered && said.by === 'us') return session.gone.aborted ? left.promise : unconfirmed;
    const reason = refusal(said);
    if (reason !== undefined) {
      await delay(refusedGraceMs);
      if (isLeftToUser(session, reason)) return unconfirmed;
      return watch.movedAt() === undefined ? reason : stale;
    }
    const repliedAt = Date.now();
    while (!isOver) {
      const movedAt = watch.movedAt();
      if (movedAt !== undefined && Date.now() - Math.max(movedAt, repliedAt) >= movedGraceMs) break;
      await delay(pollMs);
    }
    return stale;
  };
  const end = await Promise.race([watch.seen, answered(), left.promise, timeout.then(() => unconfirmed)]);
  isOver = true;
  session.gone.removeEventListener('abort', look);
  if (typeof end === 'string') return end;
  return end.sight === 'arrived' ? undefined : giveBack(session, edit, end);
}

/** Of what an editor that is gone has done, the disk has what it saved. */
async function lastLook({ file, made }: Prepared): Promise<Seen | string> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === made.after || text === byteOrderMark + made.after ? { sight: 'arrived' } : leftMeanwhile;
}

function isCurrent(session: Session, { file, version, made }: Prepared): boolean {
  const document = session.documents.at(file);
  return (document?.version ?? null) === version && (!document || document.getText() === made.before);
}

/** The key of a version is always there: Sublime reads it unasked. null stands for a file that is not open. */
function workspaceEdit(sent: readonly Prepared[], versioned: boolean): WorkspaceEdit {
  if (!versioned) return { changes: Object.fromEntries(sent.map(({ uri, made }) => [uri, [...made.edits]])) };
  return {
    documentChanges: sent.map(({ uri, version, made }) => ({
      textDocument: { uri, version },
      edits: [...made.edits],
    })),
  };
}

const delay = (timeMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, timeMs).unref());

const refusedBy = 'the editor refused the edit';

/** Not every no says `applied: false`: Emacs gives a reason alone. */
function refusal(reply: Reply): string | undefined {
  if (!reply.answered) return `${refusedBy}: ${reply.reason}`;
  const { applied, failureReason } =
    typeof reply.result === 'object' && reply.result !== null ? fields(reply.result) : {};
  const said = typeof failureReason === 'string' ? failureReason : '';
  if (applied !== false && (applied === true || said === '')) return undefined;
  return `${refusedBy}${said ? `: ${said}` : ''}`;
}

const fields = (result: object): { applied?: unknown; failureReason?: unknown } => result;

const isLeftToUser = ({ profile }: Session, reason: string): boolean =>
  profile.leavesToUser !== undefined && reason.includes(profile.leavesToUser);
