/**
 * Runs a script with the project's own Node, whatever the machine's: `node test/node/run.js SCRIPT [ARGUMENTS]`.
 * Plain JavaScript, for it is started by any Node. Not left to `node_modules/.bin/node`: npm 10 removes that link where
 * one of the platform packages that share it does not fit the machine.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const own = fileURLToPath(
  new URL(`../../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
);
const [major] = process.versions.node.split('.').map(Number);
if (!existsSync(own) && major < 24) {
  process.stderr.write(
    `Developing codex-lsp needs Node 24; this is Node ${process.versions.node}, and no package brings one for ${process.platform}-${process.arch}.\n`,
  );
  process.exit(1);
}
const node = existsSync(own) ? own : process.execPath;
const PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`;
const child = spawn(node, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH } });
// A terminal's Ctrl-C reaches the child by itself; how it ends is the child's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
}
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
