/** The standard messages this server answers: one literal table for requests, one for notifications. */
import * as z from 'zod';
import { Refusal } from '../task/refusal.ts';
import { codeActions } from './code-actions.ts';
import { codeLenses } from './code-lens.ts';
import { executeCommand } from './commands.ts';
import * as lsp from './from-lsp.ts';
import { hoverAt } from './hover.ts';
import { configure } from './initialize.ts';
import type { Publisher } from './publish.ts';
import type { Session } from './session.ts';
import { runSaved } from './task-documents.ts';

export type Room = { session: Session; publisher: Publisher };
type Table<R> = Readonly<Record<string, (room: Room, params: unknown, method: string) => R>>;

const taking =
  <T, R>(schema: z.ZodType<T>, handle: (room: Room, params: T) => R) =>
  (room: Room, params: unknown, method: string): R =>
    handle(room, lsp.checked(schema, params, method));

export const requests: Table<unknown> = {
  'workspace/executeCommand': taking(lsp.commandParams, ({ session }, { command, arguments: args }) =>
    executeCommand(session, command, args),
  ),
  'textDocument/codeAction': taking(lsp.codeActionParams, ({ session, publisher }, params) =>
    codeActions({ session, activity: publisher.activity, reviews: publisher.reviews }, params),
  ),
  // Helix and Neovim resolve every action, also those that have all they need.
  'codeAction/resolve': taking(z.unknown(), (_, action) => action),
  'textDocument/hover': taking(lsp.placeParams, ({ session, publisher }, { textDocument, position }) =>
    hoverAt(session, publisher.reviews, textDocument.uri, position.line),
  ),
  'textDocument/codeLens': taking(lsp.documentParams, ({ session, publisher }, { textDocument }) =>
    codeLenses(session, publisher.reviews, textDocument.uri),
  ),
};

export const notifications: Table<void> = {
  initialized: ({ session, publisher }) => {
    publisher.recall().catch((error: unknown) => session.surroundings.log(String(error)));
    session.configured = configure(session);
  },
  'workspace/didChangeConfiguration': taking(lsp.configurationParams, ({ session, publisher }, params) => {
    // Some clients push the section here and are never asked for it.
    const pushed = params?.settings?.codex;
    if (pushed !== undefined && session.capabilities.workspace?.configuration !== true)
      session.hear({ section: pushed });
    session.configured = configure(session)
      .then(() => publisher.settingsChanged())
      .catch((error: unknown) => session.surroundings.log(String(error)));
  }),
  'workspace/didChangeWorkspaceFolders': taking(lsp.foldersParams, ({ session, publisher }, { event }) => {
    const uris = (list: readonly { uri: string }[] | null | undefined): string[] => (list ?? []).map(({ uri }) => uri);
    session.folders.change(uris(event.added), uris(event.removed));
    publisher.recall().catch((error: unknown) => session.surroundings.log(String(error)));
  }),
  'textDocument/didOpen': taking(lsp.openParams, ({ session }, { textDocument }) => {
    const { uri, languageId, version, text } = textDocument;
    session.documents.open(uri, languageId ?? '', version ?? 0, text);
  }),
  'textDocument/didChange': taking(lsp.changeParams, ({ session }, { textDocument, contentChanges }) => {
    session.documents.change(textDocument.uri, textDocument.version ?? undefined, contentChanges);
  }),
  'textDocument/didClose': taking(lsp.documentParams, ({ session }, { textDocument }) => {
    session.documents.close(textDocument.uri);
  }),
  'textDocument/didSave': taking(lsp.documentParams, ({ session }, { textDocument }) => {
    session.documents.saved(textDocument.uri);
    runSaved(session, textDocument.uri).catch((error: unknown) => tell(session, error));
  }),
  'window/workDoneProgress/cancel': taking(lsp.progressParams, ({ session, publisher }, { token }) => {
    const threadId = publisher.progress.threadOf(token);
    if (threadId !== undefined) session.tasks.cancel(threadId).catch(() => {});
  }),
};

/** Nothing was asked by request, so nothing can be answered. */
function tell(session: Session, error: unknown): void {
  if (!(error instanceof Refusal)) session.surroundings.log(String(error));
  session.client.show('error', `Codex: ${error instanceof Error ? error.message : String(error)}`);
}
