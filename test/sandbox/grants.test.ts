/** What is let in from outside the workspace: sockets that were named, folders to read, and never what is ours. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SandboxPolicy, Strategy } from '../../server/sandbox/types.ts';
import { newBwrapFolders } from './new-bwrap.ts';
import { outputs, type User, users } from './users.ts';

const overlays: { way: string; strategy: Strategy; tools: () => string[] | undefined }[] = [
  { way: 'overlay by unshare', strategy: { kind: 'overlay', by: 'unshare' }, tools: () => undefined },
  { way: 'overlay by bwrap', strategy: { kind: 'overlay', by: 'bwrap' }, tools: newBwrapFolders },
];
const ways: typeof overlays = [
  ...overlays,
  { way: 'whole copy', strategy: { kind: 'copy', reason: 'A test.' }, tools: () => undefined },
];

let folder = '';
let server: Server;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'codex-lsp-grants-'));
  chmodSync(folder, 0o755);
  mkdirSync(path('real'));
  writeFileSync(path('real/text'), 'text\n');
  symlinkSync('real', path('link'));
  server = createServer((socket) => socket.end('connected\n'));
  await new Promise<void>((resolve) => server.listen(path('real/socket'), resolve));
  chmodSync(path('real/socket'), 0o777);
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const connect = (name: string) =>
  `node -e "require('net').connect('${path(name)}').on('error', (e) => console.log(e.code)).pipe(process.stdout)"`;

describe.each(users)('$name', (user) => {
  describe.each(ways)('$way', ({ strategy, tools }) => {
    const said = (command: string, policy: Partial<SandboxPolicy>, hidden?: string[]) =>
      say(user, command, policy, hidden);
    const say = async (who: User, command: string, policy: Partial<SandboxPolicy>, hidden?: string[]) => {
      const outcome = await who.play({ strategy, toolFolders: tools(), steps: [{ command, policy, hidden }] });
      return outputs(outcome)[0];
    };

    test('a socket is connected to where it was named, by that name and its real one, and nowhere else', async () => {
      expect(await said(connect('real/socket'), {})).toBe('ENOENT\n');
      const sockets = [path('link/socket'), path('missing'), path('real/text')];
      const command = `${connect('link/socket')}; ${connect('real/socket')}; ls ${folder}/*`;
      expect(await said(command, { sockets })).toBe(
        `connected\nconnected\n${path('link')}:\nsocket\n\n${path('real')}:\nsocket\n`,
      );
    });

    test('a folder of ours is not to be seen, wherever it lies', async () => {
      const command = `cat ${path('real/text')}; ls ${folder}`;
      expect(await said(command, { readableRoots: [folder] })).toMatch(/^text\nlink\nreal\n$/);
      expect(await said(`${command}/real`, { readableRoots: [folder] }, [path('real')])).toMatch(/^cat: .*\n$/);
      expect(await said(`cat ${path('real/text')} 2>&1`, { readableRoots: [path('real')] }, [folder])).toMatch(
        /No such/,
      );
    });

    test('the secrets in a folder that may be read stay hidden', async () => {
      expect(await said('cat /etc/shadow /etc/ssh/* 2>/dev/null | wc -c', { readableRoots: ['/etc', '/'] })).toBe(
        '0\n',
      );
    });
  });

  describe.each(overlays)('$way', ({ strategy, tools }) => {
    test('no socket in a folder that may be read can be connected to', async () => {
      const policy = { readableRoots: [path('real')] };
      const command = `cat ${path('real/text')}; (echo x > ${path('real/new')}) 2>&1 | grep -o Read-only; ${connect('real/socket')}`;
      const outcome = await user.play({ strategy, toolFolders: tools(), steps: [{ command, policy }] });
      expect(outputs(outcome)).toEqual(['text\nRead-only\nECONNREFUSED\n']);
    });
  });

  test('where nobody can make an overlay, the sockets that are there are covered, also in folders that are not copied', async () => {
    const strategy: Strategy = { kind: 'copy', reason: 'A test.' };
    const listen = `require('net').createServer((s) => s.end('connected')).listen('libs/d/socket'); setTimeout(() => process.exit(), 8000)`;
    const outcome = await user.play({
      strategy,
      linked: ['libs'],
      setup: `mkdir -p libs/d; echo x > libs/d/x; node -e "${listen}" > /dev/null 2>&1 & until [ -S libs/d/socket ]; do sleep 0.05; done`,
      steps: [
        { command: connect('real/socket'), policy: { readableRoots: [path('real')] } },
        {
          command: `cat libs/d/x; node -e "require('net').connect('libs/d/socket').on('error', (e) => console.log(e.code)).pipe(process.stdout)"`,
        },
        {
          command: connect('real/socket'),
          policy: { readableRoots: [path('real')], sockets: [path('real/socket')] },
        },
      ],
    });
    expect(outputs(outcome)).toEqual(['ECONNREFUSED\n', 'x\nECONNREFUSED\n', 'connected\n']);
  });

  test('a socket is no file to be read', async () => {
    const steps = [{ command: connect('real/socket'), policy: { readableRoots: [path('real/socket')] } }];
    expect(outputs(await user.play({ steps }))).toEqual(['ENOENT\n']);
  });
});
