/** What a command can not reach. Every case shows that its command ran. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bash, type Scenario } from './scenario.ts';
import { outputs, processesWith, type User, users } from './users.ts';

const said = async (user: User, command: string, more: Partial<Scenario> = {}): Promise<string> =>
  outputs(await user.play({ ...more, steps: [{ command }] }))[0] ?? '';

describe.each(users)('$name', (user) => {
  test('the network is off; a service of this machine is out of reach', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const attempt = `(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && echo CONNECTED || echo refused`;
    try {
      expect(await said(user, attempt)).toBe('refused\n');
      expect(connections).toBe(0);
      // The same attempt from outside reaches it.
      const { promise, resolve } = Promise.withResolvers<void>();
      server.once('connection', () => resolve());
      bash('/', `(exec 3<>/dev/tcp/127.0.0.1/${port})`);
      await promise;
    } finally {
      server.close();
    }
  });

  test('with the network it is in reach', async () => {
    const server = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      const outcome = await user.play({
        steps: [{ command: `exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3`, policy: { network: 'full' } }],
      });
      expect(outputs(outcome)).toEqual(['hello\n']);
    } finally {
      server.close();
    }
  });

  test('secrets of the environment are nowhere, not even in the first process', async () => {
    const environment = { OPENAI_API_KEY: 'sk-secret', PATH: process.env.PATH ?? '', SHARED: 'shared' };
    const outcome = await user.play({
      environment,
      steps: [
        { command: "env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; echo end", policy: { env: ['SHARED'] } },
      ],
    });
    const [text] = outputs(outcome);
    expect(text).not.toContain('sk-secret');
    expect(text).toContain('SHARED=shared\n');
    expect(text).toMatch(/end\n$/);
  });

  test('no program of the chain outside has them either', async () => {
    const mark = String(randomInt(10 ** 8, 10 ** 9));
    process.env.OPENAI_API_KEY = 'sk-of-the-server';
    try {
      const playing = user.play({
        environment: { OPENAI_API_KEY: 'sk-of-the-face', PATH: process.env.PATH ?? '' },
        steps: [{ command: `: ${mark}; sleep 0.5; echo end` }],
      });
      let chain: string[] = [];
      while (chain.length < 2) {
        await delay(5);
        chain = processesWith(mark).filter((pid) => commandOf(pid).includes('bwrap'));
      }
      const environments = chain.map((pid) => readFileSync(`/proc/${pid}/environ`, 'latin1'));
      expect(environments.join()).toContain('PATH=');
      expect(environments.join()).not.toContain('sk-of');
      expect(outputs(await playing)).toEqual(['end\n']);
    } finally {
      delete process.env.OPENAI_API_KEY;
    }
  });

  test('the home, /tmp, /run and other places are private and empty', async () => {
    const secret = mkdtempSync(join(tmpdir(), 'codex-lsp-secret-'));
    writeFileSync(join(secret, 'key'), 'TOPSECRET');
    try {
      const text = await said(
        user,
        `cat ${secret}/key; echo x > ~/.bashrc && cat ~/.bashrc; ls -A /var/tmp /run /home/* /mnt /srv /sys 2>&1; echo w > /tmp/w && cat /tmp/w`,
      );
      expect(text).not.toContain('TOPSECRET');
      expect(text).toMatch(/^cat: .*No such file or directory\nx\n/);
      expect(text).toMatch(/\nw\n$/);
    } finally {
      rmSync(secret, { recursive: true });
    }
  });

  test('system folders can not be written, nor kernel knobs, also by root', async () => {
    const attempts = [
      '/usr/x',
      '/etc/x',
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/vm/drop_caches',
      '/proc/sysrq-trigger',
    ];
    const text = await said(
      user,
      `for f in ${attempts.join(' ')}; do (exec 3>>$f) 2>/dev/null && echo OPENED $f; done; echo done`,
    );
    expect(text).toBe('done\n');
  });

  test('memory can be written where it has a size, and nowhere else', async () => {
    const text = await said(
      user,
      `for d in / /dev /run /var /var/lib /etc/ssh /mnt /tmp /var/tmp /dev/shm ~ .; do
         (: > $d/x) 2>/dev/null && echo $([ $d = ~ ] && echo HOME || echo $d); done; head -c 1 /dev/zero > /dev/null && echo fine
       awk '$3 == "tmpfs" && $4 ~ /^rw/ && $4 !~ /size=/' FS=' ' /proc/mounts | awk '{print $2}'`,
    );
    expect(text).toBe('/tmp\n/var/tmp\n/dev/shm\nHOME\n.\nfine\n');
  });

  test('password files and host keys are empty', async () => {
    expect(await said(user, 'cat /etc/shadow /etc/gshadow /etc/ssh/* 2>/dev/null | wc -c')).toBe('0\n');
  });

  test('no rights are left, and none can be gained', async () => {
    const text = await said(
      user,
      "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; unshare -U true 2>&1; mount -t tmpfs x /tmp 2>&1",
    );
    expect(text).toMatch(/CapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n/);
    expect(text).toMatch(/unshare: .*not permitted/);
    expect(text).toMatch(/mount: .*(denied|not permitted|superuser)/);
  });

  test('no descriptor of ours is open; stdout can be opened again; signals are as usual', async () => {
    const text = await said(
      user,
      'ls /proc/self/fd | tr "\\n" " "; echo again > /dev/stdout; echo err > /dev/stderr; grep SigIgn /proc/self/status',
    );
    expect(text).toBe('0 1 2 3 again\nerr\nSigIgn:\t0000000000000000\n');
  });

  test('no process but its own can be seen', async () => {
    const [count = ''] = (await said(user, 'ls -d /proc/[0-9]* | wc -l')).split('\n');
    expect(Number(count)).toBeLessThan(8);
  });

  test("node is the server's own, and runs", async () => {
    expect(await said(user, 'node -p process.version; command -v node')).toBe(
      `${process.version}\n/run/codex-lsp/node/bin/node\n`,
    );
  });

  test('programs of the workspace that are named like our tools are not run', async () => {
    const plant =
      'for p in bwrap unshare mount prlimit sh; do printf "#!/bin/sh\\necho PLANTED\\n" > $p; chmod +x $p; done';
    const outcome = await user.play({ setup: plant, steps: [{ command: plant }, { command: 'echo fine' }] });
    expect(outputs(outcome)).toEqual(['', 'fine\n']);
  });
});

/** Empty of one that has ended meanwhile. */
function commandOf(pid: string | number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
