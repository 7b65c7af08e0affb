/** What each editor really does, by the name it sends; capabilities alone lie. Evidence: the issues and versions named beside it. */
import type { ClientCapabilities } from 'vscode-languageserver';

export type Profile = {
  name: string;
  /** A WorkspaceEdit may have `documentChanges`, with versions. */
  documentChanges: boolean;
  /** Who writes under the setting `apply: auto`. */
  applyMode: 'editor' | 'disk' | 'mixed';
  /** An approval may be asked by `window/showMessageRequest`: no keystroke meant for the text can answer it. */
  dialog: boolean;
  /** `window/showDocument` opens a file. */
  showDocument: boolean;
  /** The editor attaches the server only to files inside the workspace, so documents for the user live there. */
  documentsInWorkspace: boolean;
  /** How the user sees a file that the server wrote while it was open. */
  reload: string;
};

type Facts = Partial<Omit<Profile, 'name'>>;

/** Where nothing is said, the capability decides, and else the conservative default. */
const table: Readonly<Record<string, Facts>> = {
  // 25.01.1 does not declare showDocument, and does it. Its dialog (25.07.1) takes the user's next Enter for an answer.
  helix: { showDocument: true, reload: 'run :reload (or :reload-all)' },
  // Does not declare documentChanges, and does them. Its dialog blocks the whole editor, in any mode.
  Neovim: { documentChanges: true, showDocument: true, reload: 'run :checktime' },
  // The dialog fills the minibuffer with the first choice, and C-g never answers.
  Eglot: { showDocument: true, reload: 'run M-x revert-buffer' },
  emacs: { showDocument: true, reload: 'run M-x revert-buffer' },
  // Toasts that can be answered at any time. showDocument only since September 2026: the capability decides.
  Zed: { dialog: true, reload: 'it reloads by itself unless it has unsaved changes' },
  // Its confirm() blocks Vim.
  'coc.nvim': { reload: 'run :checktime' },
  // Can only ever answer the first choice; never answers showDocument; throws on anything but text edits.
  'vim-lsp': { documentChanges: false, showDocument: false, reload: 'run :checktime' },
  // yegappan/lsp: does documentChanges though it declares only resourceOperations; has no showDocument.
  Vim: { documentChanges: true, showDocument: false, reload: 'run :checktime' },
  // A popup that any other popup closes, which is no answer.
  'Sublime Text LSP': { dialog: true, reload: 'it reloads by itself unless it has unsaved changes' },
  // Queued behind a sign in the mode line until the user asks for it.
  'kakoune-lsp': { dialog: true, showDocument: false, reload: 'run :edit!' },
  'Visual Studio Code': {
    dialog: true,
    documentsInWorkspace: false,
    reload: 'it reloads by itself unless it has unsaved changes',
  },
};

const aliases: readonly [RegExp, string][] = [
  [/^Zed\b/, 'Zed'],
  [/^(Visual Studio Code|VSCodium|Code - OSS|Cursor)\b/, 'Visual Studio Code'],
  [/^kak(oune)?-lsp$/, 'kakoune-lsp'],
];

/** `name` is `clientInfo.name`; Kate and ALE send none. */
export function profileOf(name: string | undefined, capabilities: ClientCapabilities): Profile {
  const known = aliases.find(([pattern]) => pattern.test(name ?? ''))?.[1] ?? name ?? '';
  const facts: Facts = (Object.hasOwn(table, known) ? table[known] : undefined) ?? {};
  const edit = capabilities.workspace?.workspaceEdit;
  return {
    name: name ?? '',
    documentChanges:
      facts.documentChanges ?? (edit?.documentChanges === true || (edit?.resourceOperations?.length ?? 0) > 0),
    // Without applyEdit (ALE says false; Kate says nothing, and takes one only in the 2 s after a command) the server writes.
    applyMode: capabilities.workspace?.applyEdit === true ? (facts.applyMode ?? 'mixed') : 'disk',
    dialog: facts.dialog ?? false,
    showDocument: facts.showDocument ?? capabilities.window?.showDocument?.support === true,
    documentsInWorkspace: facts.documentsInWorkspace ?? true,
    reload: facts.reload ?? 'reload it there',
  };
}

/** The setting `apply`, where the editor can do at all what it says. */
export function applyModeOf(setting: 'auto' | 'editor' | 'disk' | 'mixed', profile: Profile): Profile['applyMode'] {
  return setting === 'auto' || profile.applyMode === 'disk' ? profile.applyMode : setting;
}
