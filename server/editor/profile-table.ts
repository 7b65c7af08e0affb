/**
 * The quirks of editors that change what we do, by the name they send. Read in the sources of the versions named (S), or
 * seen with the editors of `test/editors` (M).
 *
 * What needs no row, for it is avoided everywhere:
 * - No operation on files is ever sent, the server does these: lsp-mode does creations first and renames last (S 10), Neovim makes
 *   no file of a creation with ignoreIfExists (S 0.13-dev) and leaves its text in a hidden buffer (M), Helix makes an empty file (M),
 *   Sublime makes no parent folder (S), Eglot answers an error (M 1.17), vim-lsp throws and never answers (M).
 * - A version is only ever named for a document that is open, and the key is always there: coc refuses a numbered edit of a
 *   document that is not loaded, Zed one of an unknown version, Sublime fails without the key (S).
 * - An answer is never believed, the text is: Neovim says `applied: true` of a stale edit and does nothing (M), Zed, vim-lsp and
 *   yegappan/lsp always say it (S), Eglot's no may still become a yes (S 1.24).
 * - Edits put over what was typed meanwhile are taken back: vim-lsp, yegappan/lsp and kakoune-lsp look at no version (S; M vim-lsp);
 *   Neovim, lsp-mode and Zed take 0, the version of a document nobody has changed, for none (M; S).
 * - No annotation and no snippet is sent: so that VS Code, coc and Neovim >= 0.12 don't ask once more for what the user has just
 *   accepted (M Neovim: after a no it says `applied: true` as well), and Sublime and kakoune-lsp, which declare them, can't ignore them.
 * - Edits are of open documents only (`mixed`): Eglot asks before it opens another, vim-lsp shows it in place of the user's (M).
 */
import type { Profile } from './profiles.ts';

/** A change on disk is taken over, where the user has changed nothing. */
const itself = 'it reloads by itself unless it has unsaved changes';

export const table: Readonly<Record<string, Partial<Omit<Profile, 'name' | 'applyMode'>>>> = {
  helix: {
    // M 25.01.1: does it, and does not declare it.
    showDocument: true,
    // M 25.07.1: a dialog takes the user's next Enter for an answer; a change on disk is never noticed.
    reload: 'run :reload (or :reload-all)',
  },
  Neovim: {
    // M 0.10.4 and 0.12.4: does them, with versions, and does not declare them.
    documentChanges: true,
    // S 0.13-dev: looks at the version of the first document only, and skips an older edit without a word.
    versionCheck: 'firstOnly',
    showDocument: true,
    // M: a dialog blocks the whole editor, in any mode.
    reload: 'run :checktime',
  },
  Eglot: {
    // S 1.24: with `eglot-confirm-server-edits` set to diff; the user has the edit in a buffer of its own.
    leavesToUser: 'decision to apply manually',
    showDocument: true,
    // M 1.17: a dialog fills the minibuffer with its first choice, and C-g never answers; a change on disk is noticed on save.
    reload: 'run M-x revert-buffer',
  },
  // lsp-mode. M 10.0: a dialog as in Eglot; shows what showDocument names in another window.
  emacs: { showDocument: true, reload: 'run M-x revert-buffer' },
  // S: toasts that can be answered at any time. showDocument only since September 2026, so the capability decides.
  Zed: { dialog: true, reload: itself },
  // S: its confirm() blocks Vim.
  'coc.nvim': { reload: 'run :checktime' },
  // S and M: a dialog can only ever give the first choice; showDocument is never answered; a version is read nowhere.
  'vim-lsp': { documentChanges: false, showDocument: false, reload: 'run :checktime' },
  // yegappan/lsp. S: does documentChanges though it declares only operations on files; has no showDocument.
  Vim: { documentChanges: true, showDocument: false, reload: 'run :checktime' },
  // S: a popup that any other popup closes, which is no answer.
  'Sublime Text LSP': { dialog: true, reload: itself },
  // S 21: dialogs are queued until the user asks for them; `text_edit.rs` writes hidden clean buffers; no showDocument.
  'kakoune-lsp': { dialog: true, savesEdits: true, showDocument: false, reload: 'run :edit!' },
  // S vscode-languageclient 10.1. Serves files of any folder.
  'Visual Studio Code': { dialog: true, documentsInWorkspace: false, reload: itself },
};

/** Names that vary by release or by fork. */
export const aliases: readonly (readonly [RegExp, keyof typeof table])[] = [
  [/^Zed\b/, 'Zed'],
  [/^(Visual Studio Code|VSCodium|Code - OSS|Cursor)\b/, 'Visual Studio Code'],
  [/^kak(oune)?-lsp$/, 'kakoune-lsp'],
];
