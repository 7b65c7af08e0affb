#!/usr/bin/env node
// Runs on any Node that knows modules, so that an old one gets a sentence and not a stack trace.
import * as nodeModule from 'node:module';
import process from 'node:process';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`codex-lsp needs Node 22.12 or newer; this is Node ${process.versions.node}.\n`);
  process.exit(1);
}
nodeModule.enableCompileCache();
const { main } = await import('../dist/main.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('codex-lsp is not built yet: run `npm run build` in its folder first.\n');
  process.exit(1);
});
await main(process.argv.slice(2));
