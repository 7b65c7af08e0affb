#!/usr/bin/env node
// Runs on any Node that knows modules, so that an old one gets a sentence and not a stack trace.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 12)) await start();
else await startWithOwnNode();

async function start() {
  // In a folder that is the user's alone: what lies in the common one for temporary files, anybody may have put there.
  const cache = process.env.XDG_CACHE_HOME;
  const folder = cache && isAbsolute(cache) ? cache : join(homedir(), '.cache');
  nodeModule.enableCompileCache(join(folder, 'codex-lsp', 'compile-cache'));
  const { main } = await import('../dist/main.js').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write('codex-lsp is not built yet: run `npm run build` in its folder first.\n');
    process.exit(1);
  });
  await main(process.argv.slice(2));
}

/** A checkout brings the Node it is developed with. */
async function startWithOwnNode() {
  const name = `../node_modules/node-${process.platform}-${process.arch}/bin/node`;
  const own = fileURLToPath(new URL(name, import.meta.url));
  if (!existsSync(own)) {
    process.stderr.write(`codex-lsp needs Node 22.12 or newer; this is Node ${process.versions.node}.\n`);
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(own, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches the child by itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
  }
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, 'SIGKILL') : process.exit(code)));
}
