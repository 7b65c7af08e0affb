/** `initialize` and the editor's own settings. */
import type { ClientCapabilities, InitializeResult } from 'vscode-languageserver';
import { codeActionKinds } from './code-actions.ts';
import { commandNames } from './commands.ts';
import { profileOf } from './profiles.ts';
import type { Session } from './session.ts';
import { uriOf } from './uri.ts';

const configurationTimeoutMs = 5_000;
const incremental = 2;

/** Takes in what the client says of itself; nothing slow. */
export function initialize(session: Session, params: unknown): InitializeResult {
  const { capabilities, clientInfo, initializationOptions } = record(params);
  session.capabilities = asCapabilities(capabilities);
  const { name } = record(clientInfo);
  session.profile = profileOf(typeof name === 'string' ? name : undefined, session.capabilities);
  session.wantsEvents = record(record(record(capabilities).experimental).codex).events === true;
  session.hear({ initializationOptions });
  session.folders.change(folderUris(record(params)), []);
  return {
    serverInfo: { name: 'codex-lsp', version: session.surroundings.version },
    capabilities: {
      positionEncoding: 'utf-16',
      textDocumentSync: { openClose: true, change: incremental, save: true },
      codeActionProvider: { codeActionKinds, resolveProvider: true },
      hoverProvider: true,
      codeLensProvider: { resolveProvider: false },
      executeCommandProvider: { commands: [...commandNames] },
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      experimental: { codex: { version: 1 } },
    },
  };
}

/** Asks for the section `codex`, takes it in, and says once what is wrong with the settings. Never rejects. */
export async function configure(session: Session): Promise<void> {
  if (session.capabilities.workspace?.configuration === true) {
    const items = [{ section: 'codex' }];
    const reply = await session.client.request(
      'workspace/configuration',
      { items },
      { timeoutMs: configurationTimeoutMs },
    );
    if (reply.answered && Array.isArray(reply.result)) session.hear({ section: reply.result[0] });
  }
  for (const { message } of session.newProblems()) session.client.show('warning', `Codex: setting ${message}`);
}

/** `workspaceFolders`, else the older ways to name one. */
function folderUris({ workspaceFolders, rootUri, rootPath }: Record<string, unknown>): string[] {
  const uris = foldersIn(workspaceFolders);
  if (uris.length > 0) return uris;
  if (typeof rootUri === 'string' && rootUri !== '') return [rootUri];
  return typeof rootPath === 'string' && rootPath !== '' ? [uriOf(rootPath)] : [];
}

export function foldersIn(list: unknown): string[] {
  const folders: unknown[] = Array.isArray(list) ? list : [];
  return folders.map((folder) => record(folder).uri).filter((uri) => typeof uri === 'string');
}

export const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

/** Only ever read by optional steps, so that whatever stands in it does no harm. */
function asCapabilities(value: unknown): ClientCapabilities {
  return record(value);
}
