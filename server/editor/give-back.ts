/** An editor that does not look at versions has put an edit over what the user typed: the user's text comes back. */
import { lineEdits } from '../changeset/outcome.ts';
import type { Session } from './session.ts';
import { toTextEdits } from './to-lsp.ts';

const giveBackTimeoutMs = 1_000;

/** Answers why the edit failed. Sends nothing where the user has typed once more: then only they know what is right. */
export async function giveBack(
  session: Session,
  { file, uri, path }: { file: string; uri: string; path: string },
  { typed, now }: { typed: string; now: string },
): Promise<string> {
  const failed = `the editor put the change over what you typed in ${path}; undo it there`;
  const document = session.documents.at(file);
  if (document?.getText() !== now) return failed;
  const { edits, after } = toTextEdits(now, lineEdits(now, typed));
  if (after !== typed) return failed;
  const isBack = Promise.withResolvers<boolean>();
  const stop = session.documents.onChange(() => {
    if (session.documents.at(file)?.getText() === typed) isBack.resolve(true);
  });
  const timer = setTimeout(() => isBack.resolve(false), giveBackTimeoutMs);
  const { version } = document;
  void session.client.request(
    'workspace/applyEdit',
    {
      label: 'Codex: your text',
      edit: session.profile.documentChanges
        ? { documentChanges: [{ textDocument: { uri, version }, edits }] }
        : { changes: { [uri]: edits } },
    },
    { timeoutMs: giveBackTimeoutMs },
  );
  const given = await isBack.promise;
  clearTimeout(timer);
  stop();
  return given ? 'stale' : failed;
}
