/**
 * Inside of the sandbox: programs know proxies by host and port, so a forwarder listens on its loopback and leads to
 * the proxy's socket. A shell starts it, waits for its word and becomes the command; pure.
 */
import { nodeFolder } from '../environment.ts';

export const proxySocketInside = '/run/codex-lsp/proxy.sock';

/** Above the ports that the kernel gives out by itself. */
const port = 61_080;

/** Threads of Node, which the kernel counts as the command's processes. */
export const forwarderThreadsMax = 8;

/** It says `ready` when it listens and the proxy has answered, and nothing else ever. */
const forwarder = `
process.title = 'codex-lsp-network';
const { connect, createServer } = require('node:net');
const { closeSync, writeSync } = require('node:fs');
const way = () => connect({ path: '${proxySocketInside}', allowHalfOpen: true });
createServer({ allowHalfOpen: true }, (client) => {
  const proxy = way();
  const end = () => { client.destroy(); proxy.destroy(); };
  client.on('error', end).pipe(proxy);
  proxy.on('error', end).pipe(client);
  client.on('close', (failed) => failed && end());
  proxy.on('close', (failed) => failed && end());
}).listen(${port}, '127.0.0.1', () => {
  const first = way();
  first.on('connect', () => { first.destroy(); writeSync(3, 'ready'); closeSync(3); });
});
`;

/** Its word comes by descriptor 3, whose end is waited for. It has nothing of the command's: no descriptor, no variable, no folder. */
const script = `
[ "$(cd /; exec /usr/bin/env -i "$1" --v8-pool-size=0 -e "$2" 3>&1 </dev/null >/dev/null 2>&1 & )" = ready ] || exit 125
shift 2
exec "$@"
`;

/** Stands before the command and its arguments. */
export const forwarderWrapper: readonly string[] = ['/bin/sh', '-c', script, 'sh', `${nodeFolder}/bin/node`, forwarder];

const proxyUrl = `http://127.0.0.1:${port}`;

/**
 * ALL_PROXY too is HTTP, which every client speaks: those of Python's httpx don't even start with `socks5h` where one
 * package is missing. Whoever wants SOCKS finds it at the same port.
 */
const named = {
  HTTP_PROXY: proxyUrl,
  HTTPS_PROXY: proxyUrl,
  ALL_PROXY: proxyUrl,
  NO_PROXY: 'localhost,127.0.0.1,::1',
};

export const proxyEnvironment: Readonly<Record<string, string>> = {
  ...named,
  ...Object.fromEntries(Object.entries(named).map(([name, value]) => [name.toLowerCase(), value])),
  // Node's own fetch and http do without a proxy otherwise.
  NODE_USE_ENV_PROXY: '1',
};
