/** Accepted changes to open documents: one versioned WorkspaceEdit, believed only when the text is seen to have changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { asShown, withoutMark } from './byte-order-mark.ts';
import type { Reply } from './client.ts';
import type { Session } from './session.ts';
import { toTextEdits } from './to-lsp.ts';

type Planned = ApplyPlan['editor'][number];
type Sent = {
  path: string;
  file: string;
  uri: string;
  version: number | null;
  edits: TextEdit[];
  /** The text is as it should be. */
  done(text: string): boolean;
};

/** The contract allows 10 s for the whole of an accept. */
const verifyTimeoutMs = 9_000;
/** After a refusal the text may still become right: Eglot says so before its user has confirmed. */
const graceMs = 1_000;
const diskPollMs = 100;

/** See `Face.applyEdits`. An answer of the editor proves nothing in half of them: the text decides. */
export async function applyEdits(
  session: Session,
  root: string,
  planned: ApplyPlan['editor'],
): Promise<ReadonlyMap<string, string | undefined>> {
  const outcome = new Map<string, string | undefined>();
  const sent: Sent[] = [];
  for (const edit of planned) {
    const prepared = await prepare(session, root, edit);
    if (typeof prepared === 'string') outcome.set(edit.path, prepared);
    else sent.push(prepared);
  }
  // What was prepared while another file was read from disk may have moved since.
  const current = sent.filter((edit) => {
    const still = isCurrent(session, edit);
    if (!still) outcome.set(edit.path, 'stale');
    return still;
  });
  if (current.length === 0) return outcome;
  const timeoutMs = session.surroundings.verifyTimeoutMs ?? verifyTimeoutMs;
  for (const { file } of current) session.edited(file);
  const observed = current.map((edit) => observe(session, edit));
  const reply = session.client.request(
    'workspace/applyEdit',
    { label: 'Codex', edit: workspaceEdit(current, session.profile.documentChanges) },
    { timeoutMs },
  );
  const timeout = delay(timeoutMs).then(() => 'unconfirmed');
  const refused = reply.then(async (said) => {
    const reason = refusal(said);
    await (reason === undefined ? timeout : delay(graceMs));
    return reason;
  });
  await Promise.all(
    observed.map(async ({ path, right, stop }) => {
      outcome.set(path, await Promise.race([right, timeout, refused]));
      stop();
    }),
  );
  return outcome;
}

/** The edit against the text as it is now, or why there is none. */
async function prepare(session: Session, root: string, planned: Planned): Promise<Sent | string> {
  const file = join(root, planned.path);
  const open = session.documents.at(file);
  if ((open?.version ?? null) !== planned.version) return 'stale';
  const onDisk = await readFile(file, 'utf8').catch(() => undefined);
  const text = open?.getText() ?? onDisk;
  if (text === undefined) return 'stale';
  const shown = asShown(onDisk ?? '', open?.getText());
  const { edits, after } = toTextEdits(shown.text(text), planned.edits.map(shown.edit));
  // A reload in the editor changes a text and keeps its version.
  if (planned.after.kind !== 'text' || after !== shown.text(planned.after.text)) return 'stale';
  return {
    path: planned.path,
    file,
    uri: open?.uri ?? session.folders.uriFor(file),
    version: planned.version,
    edits,
    done: arrival(shown.text(text), after),
  };
}

const isCurrent = (session: Session, { file, version }: Sent): boolean =>
  (session.documents.at(file)?.version ?? null) === version;

function workspaceEdit(sent: readonly Sent[], versioned: boolean): WorkspaceEdit {
  if (!versioned) return { changes: Object.fromEntries(sent.map(({ uri, edits }) => [uri, edits])) };
  return { documentChanges: sent.map(({ uri, version, edits }) => ({ textDocument: { uri, version }, edits })) };
}

const delay = (timeMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, timeMs).unref());

/** Resolves when the document, or for a closed one the file, is as it should be. */
function observe(
  session: Session,
  { path, file, done }: Sent,
): { path: string; right: Promise<undefined>; stop(): void } {
  const ends: (() => void)[] = [];
  const right = new Promise<undefined>((resolve) => {
    const check = (): void => {
      const document = session.documents.at(file);
      if (document && done(document.getText())) resolve(undefined);
    };
    ends.push(session.documents.onChange(check));
    const poll = setInterval(() => {
      check();
      if (session.documents.at(file)) return;
      readFile(file, 'utf8').then(
        (text) => done(text) && resolve(undefined),
        () => {},
      );
    }, diskPollMs);
    poll.unref();
    ends.push(() => clearInterval(poll));
  });
  return {
    path,
    right,
    stop: () => {
      for (const end of ends) end();
    },
  };
}

/** Editors put their own line ends, and their own idea of a final newline, into the text they show. */
function arrival(before: string, after: string): (text: string) => boolean {
  const loosely = plain(before) !== plain(after);
  return (text) => text === after || withoutMark(text) === after || (loosely && plain(text) === plain(after));
}
const plain = (text: string): string => withoutMark(text).replace(/\r\n?/g, '\n').replace(/\n$/, '');

function refusal(reply: Reply): string | undefined {
  if (!reply.answered) return `the editor refused the edit: ${reply.reason}`;
  const result = reply.result;
  if (typeof result !== 'object' || result === null || !('applied' in result) || result.applied !== false)
    return undefined;
  const said = 'failureReason' in result && typeof result.failureReason === 'string' ? result.failureReason : '';
  return `the editor refused the edit${said ? `: ${said}` : ''}`;
}
