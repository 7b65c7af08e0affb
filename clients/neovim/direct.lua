-- Instead of a relay process: Neovim connects to the host of codex-lsp by itself. Load it after init.lua.
local token

vim.lsp.config('codex', {
  cmd = function(dispatchers)
    -- Started where none runs; it says where its socket is, and the file that holds its token.
    local host = vim.json.decode(vim.system({ 'codex-lsp', 'host', '--start' }):wait().stdout)
    token = vim.trim(table.concat(vim.fn.readfile(host.token)))
    return vim.lsp.rpc.connect(host.socket)(dispatchers)
  end,
  before_init = function(params)
    local options = vim.deepcopy(params.initializationOptions or {})
    -- The key and the base URL of the model come from here; the host keeps them in memory only.
    options.host = { token = token, environment = vim.fn.environ() }
    params.initializationOptions = options
  end,
})
