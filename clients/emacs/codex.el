;;; codex.el --- codex-lsp for Emacs 30 or newer, with eglot -*- lexical-binding: t; -*-

;; Load this from your init file; `codex-lsp' must be on PATH.
;; Eglot runs one server a buffer: here codex-lsp alone. The README shows how to have it beside another.

(require 'eglot)

(add-to-list 'eglot-server-programs '((prog-mode text-mode conf-mode diff-mode) . ("codex-lsp" "--stdio")))

(defun codex-run-task (prompt)
  "Delegate PROMPT, about the file at hand, to the agent."
  (interactive "sCodex: ")
  (eglot-execute (eglot-current-server)
                 (list :command "codex.runTask"
                       :arguments (vector (list :prompt prompt
                                                :textDocument (eglot--TextDocumentIdentifier))))))

(defun codex-command (name)
  "Run the command NAME of codex-lsp, such as openReview, accept, undo, status or cancel."
  (interactive (list (completing-read "Codex: " '("openReview" "accept" "reject" "applyEdited" "sendComments" "undo" "redo" "status" "cancel" "runTask"))))
  (eglot-execute (eglot-current-server) (list :command (concat "codex." name) :arguments [])))

(with-eval-after-load 'eglot
  (keymap-set eglot-mode-map "C-c c c" #'codex-run-task)
  (keymap-set eglot-mode-map "C-c c a" #'eglot-code-actions)
  (keymap-set eglot-mode-map "C-c c x" #'codex-command))

(provide 'codex)
;;; codex.el ends here
