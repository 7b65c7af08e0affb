-- codex-lsp for Neovim 0.11 or newer. Paste this into init.lua; `codex-lsp` must be on PATH.
vim.lsp.config('codex', {
  cmd = { 'codex-lsp', '--stdio' },
  -- No `filetypes`: it serves every file, beside the language's own server.
  root_dir = function(buffer, found)
    found(vim.fs.root(buffer, { '.git', '.jj', '.hg' }) or vim.fn.getcwd())
  end,
})
vim.lsp.enable('codex')

-- A prompt about the file at hand. Everything else is a code action: gra (normal and visual mode).
vim.keymap.set('n', '<leader>c', function()
  local client = vim.lsp.get_clients({ bufnr = 0, name = 'codex' })[1]
  if not client then return vim.notify('codex-lsp does not serve this buffer') end
  local document = { uri = vim.uri_from_bufnr(0) }
  vim.ui.input({ prompt = 'Codex: ' }, function(prompt)
    if not prompt or prompt == '' then return end
    client:exec_cmd({ title = 'Codex', command = 'codex.runTask', arguments = { { prompt = prompt, textDocument = document } } })
  end)
end, { desc = 'Codex: delegate a task' })

-- What the agent does at the moment, in the message line.
vim.api.nvim_create_autocmd('LspProgress', {
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    local step = event.data.params.value
    if not client or client.name ~= 'codex' or step.kind == 'end' then return end
    local text = 'Codex: ' .. (step.message or step.title or '')
    vim.api.nvim_echo({ { text:gsub('%s+', ' '):sub(1, vim.v.echospace) } }, false, {})
  end,
})
