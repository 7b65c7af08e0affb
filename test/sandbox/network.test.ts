/** A command that may reach a list of hosts: what it reaches in the sandbox, what it does not, and what is left of it. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCommandNetwork } from '../../server/sandbox/network/command-network.ts';
import { bash, type Outcome } from './scenario.ts';
import { type StandIn, somewhere } from './stand-in.ts';
import { outputs, processesWith, startScenario, type User, users } from './users.ts';

const hosts = ['allowed.test', '*.wild.test'];

let internet: StandIn;
let connections = 0;
let certificates: string;
const servers: Server[] = [];
const temporary = process.env.TMPDIR;

beforeAll(async () => {
  certificates = mkdtempSync(join(tmpdir(), 'codex-lsp-test-'));
  chmodSync(certificates, 0o755);
  // What a command leaves behind in the temporary folder is told from what others do there.
  process.env.TMPDIR = certificates;
  bash(
    certificates,
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=allowed.test 2>/dev/null; cat key.pem cert.pem',
  );
  const pem = bash(certificates, 'cat key.pem cert.pem');
  const web = createServer((request, response) => response.end(`web ${request.headers.host} ${request.url}\n`));
  const tls = createTlsServer({ key: pem, cert: pem }, (request, response) =>
    response.end(`tls ${request.headers.host}\n`),
  );
  const slow = createTcpServer((socket) => setTimeout(() => socket.end('slow\n'), 30).unref());
  const ports = await Promise.all([web, tls, slow].map(listening));
  internet = {
    names: {
      'allowed.test': [somewhere],
      'a.wild.test': [somewhere],
      'loop.wild.test': ['127.0.0.1'],
      'metadata.wild.test': ['169.254.169.254'],
      'private.wild.test': ['10.0.0.1'],
      'mapped.wild.test': ['::ffff:127.0.0.1'],
      'evil.test': [somewhere],
    },
    ports: { 80: ports[0] ?? 0, 443: ports[1] ?? 0, 1234: ports[2] ?? 0 },
  };
});

afterAll(() => {
  for (const server of servers) server.close();
  process.env.TMPDIR = temporary;
  if (temporary === undefined) delete process.env.TMPDIR;
  rmSync(certificates, { recursive: true });
});

async function listening(server: Server): Promise<number> {
  servers.push(server.on('connection', () => connections++));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

type Step = { command: string; network?: string[] };

const played = (user: User, ...steps: Step[]): Promise<Outcome> =>
  user.play({
    internet,
    steps: steps.map(({ command, network = hosts }) => ({ command, policy: { network } })),
  });

const socks = '--socks5-hostname 127.0.0.1:61080';
const refusedBy = ({ results }: Outcome) => results.map((result) => (result.kind === 'ran' ? result.refusedHosts : []));

describe.each(users)('$name', (user) => {
  test('an allowed host is reached: plain, by a tunnel, encrypted, by SOCKS, and by whoever knows the variables', async () => {
    const outcome = await played(user, {
      command: [
        'curl -sS http://allowed.test/plain',
        'curl -sS -p http://A.wild.test./tunnel',
        'curl -sSk https://allowed.test/',
        `curl -sS ${socks} http://a.wild.test/socks`,
        `python3 -c "import urllib.request as r; print(r.urlopen('http://allowed.test/python').read().decode(), end='')"`,
        `node -e "fetch('http://allowed.test/node').then((r) => r.text()).then((t) => process.stdout.write(t))"`,
        `git ls-remote http://allowed.test/repository 2>&1 | grep -o 'not valid: is this a git repository'`,
        'env | grep -ic ^[a-z]*_proxy=',
      ].join('; '),
    });
    expect(outputs(outcome)).toEqual([
      'web allowed.test /plain\nweb A.wild.test. /tunnel\ntls allowed.test\nweb a.wild.test /socks\nweb allowed.test /python\n' +
        'web allowed.test /node\nnot valid: is this a git repository\n8\n',
    ]);
    expect(outcome.results).toMatchObject([{ status: 'completed', exitCode: 0 }]);
    expect(refusedBy(outcome)).toEqual([undefined]);
  });

  test('another host is refused by name, in the result too', async () => {
    const outcome = await played(
      user,
      { command: 'curl -sS http://Evil.test/; curl -sS https://other.evil.test/; exit 3' },
      { command: `curl -sS ${socks} http://wild.test/; curl -s http://93.184.216.34/ -o /dev/null` },
      { command: 'curl -sS http://allowed.test/' },
    );
    const [first, second] = outputs(outcome);
    expect(first).toContain(
      'evil.test is not among the allowed hosts. To ask the user for it, call the shell tool again',
    );
    expect(first).toContain('response 403');
    expect(second).toContain("Can't complete SOCKS5 connection to wild.test. (2)");
    expect(outcome.results).toMatchObject([{ exitCode: 3 }, { exitCode: 0 }, { exitCode: 0 }]);
    expect(refusedBy(outcome)).toEqual([['evil.test', 'other.evil.test'], ['wild.test', '93.184.216.34'], undefined]);
  });

  test('an allowed name that leads into a private network is refused, and nothing is dialled', async () => {
    connections = 0;
    const names = ['loop', 'metadata', 'private', 'mapped'].map((name) => `${name}.wild.test`);
    const outcome = await played(user, {
      command: `for h in ${names.join(' ')}; do curl -sS http://$h/; curl -sS ${socks} http://$h/; done`,
    });
    expect(outputs(outcome)[0]?.match(/which is no public address/g)).toHaveLength(4);
    expect(refusedBy(outcome)).toEqual([names]);
    expect(connections).toBe(0);
  });

  test('there is no other way out: not by address, not by name, not by the socket itself', async () => {
    connections = 0;
    const port = internet.ports[80];
    const outcome = await played(user, {
      command: `for a in 127.0.0.1/${port} ${somewhere}/80 allowed.test/80; do (exec 3<>/dev/tcp/$a) 2>/dev/null && echo OPENED; done
        curl -sS --noproxy '*' -m 2 http://127.0.0.1:${port}/ && echo OPENED
        curl -sS --noproxy '*' -m 2 http://${somewhere}/ && echo OPENED
        grep -c : /proc/net/dev
        curl -sS --unix-socket /run/codex-lsp/proxy.sock --request-target http://evil.test/ http://allowed.test/
        curl -sS --unix-socket /run/codex-lsp/proxy.sock --request-target http://127.0.0.1:${port}/ http://allowed.test/
        (rm -f /run/codex-lsp/proxy.sock; chmod 777 /run/codex-lsp/proxy.sock; mv /run/codex-lsp /run/x) 2>/dev/null && echo CHANGED
        echo end`,
    });
    const [text = ''] = outputs(outcome);
    expect(text).not.toMatch(/OPENED|CHANGED|^web/m);
    expect(text).toMatch(/\nend\n$/);
    // One interface: loopback.
    expect(text).toMatch(/^1$/m);
    expect(refusedBy(outcome)).toEqual([['evil.test', '127.0.0.1']]);
    expect(connections).toBe(0);
  });

  test('servers of its own are reached without the proxy', async () => {
    const server =
      "require('http').createServer((q, r) => r.end('mine\\n')).listen(8123, '127.0.0.1', () => console.log('up'))";
    const outcome = await played(user, {
      command: `node -e "${server}" > up & until grep -qs up up; do :; done; curl -sS http://127.0.0.1:8123/; curl -sS http://localhost:8123/
        python3 -c "import urllib.request as r; print(r.urlopen('http://localhost:8123/').read().decode(), end='')"`,
    });
    expect(outputs(outcome)).toEqual(['mine\nmine\nmine\n']);
    expect(refusedBy(outcome)).toEqual([undefined]);
  });

  test('what leads to the proxy is not seen in the command: no output, no child, no descriptor, no signal', async () => {
    const command = `ls /proc/self/fd | tr "\\n" " "; grep SigIgn /proc/self/status; read -r children < /proc/$$/task/$$/children; echo [$children]; wait; readlink /proc/self/fd/0
      echo $0 $# $PPID $(env | grep -c codex-lsp-network); jobs`;
    const outcome = await played(
      user,
      { command },
      { command, network: [] },
      { command: 'exit 9' },
      { command: 'kill -9 $$' },
    );
    const [list, off] = outputs(outcome);
    expect(off).toMatch(/^0 1 2 3 SigIgn:\t0+\n\[\]\n\/dev\/null\n/);
    expect(list).toBe(off);
    expect(outcome.results).toMatchObject([{}, {}, { exitCode: 9 }, { exitCode: 137 }]);
    expect(outcome.changes).toEqual([]);
  });

  test('a command that ends what leads to the proxy loses its network, and that is all', async () => {
    const outcome = await played(
      user,
      { command: 'pkill -9 -f ^codex-lsp-network; curl -s http://allowed.test/; echo $?; echo made > made; exit 4' },
      { command: 'curl -sS http://allowed.test/; cat made' },
    );
    expect(outputs(outcome)).toEqual(['7\n', 'web allowed.test /\nmade\n']);
    expect(outcome.results).toMatchObject([{ exitCode: 4 }, { exitCode: 0 }]);
  });

  test('200 connections at once', async () => {
    const outcome = await played(user, {
      command: `python3 - <<'end'
import socket, selectors
done = 0
sockets = []
for i in range(200):
    s = socket.create_connection(('127.0.0.1', 61080))
    s.sendall(b'CONNECT allowed.test:1234 HTTP/1.1\\r\\n\\r\\n')
    sockets.append(s)
for s in sockets:
    s.settimeout(20)
    text = b''
    while chunk := s.recv(1000): text += chunk
    done += text.endswith(b'slow\\n')
    s.close()
print(done)
end`,
    });
    expect(outputs(outcome)).toEqual(['200\n']);
  });

  test('few processes are enough for it, and they are the command’s own', async () => {
    const outcome = await user.play({
      internet,
      steps: [{ command: 'curl -sS http://allowed.test/', policy: { network: hosts, processesMax: 16 } }],
    });
    expect(outputs(outcome)).toEqual(['web allowed.test /\n']);
  });

  test('its memory is the command’s, and where it does not fit into the policy that is named', async () => {
    const outcome = await user.play({
      internet,
      steps: [{ command: 'sleep 20', policy: { network: hosts, memoryBytesMax: 6 * 1024 ** 2 } }],
    });
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed', limit: 'memory' }]);
  });

  test('an empty list is no network, and costs nothing', async () => {
    const command = 'env | grep -i proxy; ls -A /run/codex-lsp; curl -s http://allowed.test/; echo $?';
    const outcome = await played(user, { command, network: [] });
    expect(outputs(outcome)).toEqual(['node\n6\n']);
  });

  test('whatever ends the command: no process, no socket, no folder', async () => {
    const mark = String(randomInt(10 ** 8, 10 ** 9));
    const hang = `: ${mark}; (setsid curl -s --max-time 60 telnet://127.0.0.1:61080 &); echo ready; sleep 60`;
    const base = { internet, policy: { network: hosts } };
    const outcome = await user.play({
      internet,
      steps: [
        { command: hang, policy: base.policy, cancelAt: 'ready' },
        { command: hang, policy: base.policy, timeoutMs: 700 },
        { command: `: ${mark}; true`, policy: base.policy },
      ],
    });
    expect(outcome.results).toMatchObject([{ status: 'killed' }, { status: 'killed', limit: 'time' }, { exitCode: 0 }]);
    expect(processesWith(mark)).toEqual([]);
    expect(readdirSync(certificates).filter((name) => name.startsWith('codex-lsp-net'))).toEqual([]);
  });
});

test('the death of the server ends the way out and leaves no name of it', async () => {
  const mark = String(randomInt(10 ** 8, 10 ** 9));
  const left: string[] = [];
  const { child, output } = startScenario({
    internet,
    steps: [{ command: `sleep ${mark}`, timeoutMs: 60_000, policy: { network: hosts } }],
  });
  // Beside the chain, the command itself.
  while (
    !processesWith(mark).some((pid) => bash('/', `tr '\\0' ' ' </proc/${pid}/cmdline || true`).startsWith('sleep'))
  ) {
    await delay(20);
  }
  const home = bash('/', `tr '\\0' '\\n' </proc/${child.pid}/environ | sed -n s/^TMPDIR=//p`).trim();
  left.push(...readdirSync(home));
  child.kill('SIGKILL');
  await output;
  while (processesWith(mark).length > 0) await delay(20);
  expect(left).not.toEqual([]);
  expect(left.filter((name) => name.startsWith('codex-lsp-net'))).toEqual([]);
});

test('without a Node for the sandbox there is a reason instead', async () => {
  expect(await openCommandNetwork({ network: ['a.test'], hasNode: false })).toMatchObject({
    reason: expect.stringContaining('Node'),
    remedy: expect.stringContaining('sandbox.network'),
  });
  for (const network of ['off', 'full', []] as const) {
    expect(await openCommandNetwork({ network, hasNode: false })).toBeUndefined();
  }
});
