/** Memory, disk and processes are counted wherever a command hides them; what stays below the limit runs to its end. */
import { describe, expect, test } from 'vitest';
import type { SandboxPolicy } from '../../server/sandbox/types.ts';
import type { Outcome } from './scenario.ts';
import { outputs, type User, users } from './users.ts';

const mebibyte = 1024 ** 2;
const limits: Partial<SandboxPolicy> = { memoryBytesMax: 150 * mebibyte, diskBytesMax: 80 * mebibyte };

/** Perl is everywhere that git is; its numbers of system calls are those of the machine. */
const call =
  process.arch === 'arm64' ? { memfd: 279, prctl: 167, sendmsg: 211 } : { memfd: 319, prctl: 157, sendmsg: 46 };
const shmget = process.arch === 'arm64' ? 194 : 29;
const perl = (program: string) => `perl -e '$| = 1; ${program} print "FULL\\n"; sleep 5; print "END\\n"'`;
const fill = 'print F "x" x 1048576 for 1..AMOUNT; F->flush;';
const use = 'use IO::Handle;';
const memfd = `${use} my $name = "x\\0"; my $fd = syscall(${call.memfd}, $name, 0); open(F, "+>&=", $fd) or die;`;
const hide = `syscall(${call.prctl}, 4, 0, 0, 0, 0);`;

/** Each takes AMOUNT MiB and then waits. No file and no process alone takes more than the limit. */
const memoryHidden: Record<string, string> = {
  'of several processes': perl('for (1..4) { next if fork; my $x = "x" x (AMOUNT * 262144); sleep 6; exit }'),
  'a file in memory that is not mapped': perl(`${memfd} ${fill}`),
  'such a file whose holder hides itself': perl(`${memfd} ${fill} ${hide}`),
  'a deleted file in /dev/shm': perl(`${use} open(F, ">", "/dev/shm/x"); unlink "/dev/shm/x"; ${fill}`),
  'files in /tmp': perl('for my $i (1..4) { open(F, ">", "/tmp/x$i"); print F "x" x 262144 for 1..AMOUNT; close F }'),
  'a file in memory on its way through a socket': perl(
    `${memfd} ${fill} socketpair(A, B, 1, 1, 0) or die;
    my $control = pack("QiiixxxxH0", 20, 1, 1, fileno(F)); my $data = "d"; my $vector = pack("PQ", $data, 1);
    my $message = pack("QIxxxxPQPQixxxx", 0, 0, $vector, 1, $control, length $control, 0);
    syscall(${call.sendmsg}, fileno(A), $message, 0) == 1 or die "sendmsg $!"; close F;`,
  ),
};

/** Ten files, because one alone is held by another limit. */
const files = (path: string, after: string) =>
  `for my $i (1..10) { open(my $f, ">", "${path}$i") or die; print $f "x" x 104858 for 1..AMOUNT; ${after} }`;
const keep = 'unlink "x$i"; $f->flush; push @kept, $f;';
const diskHidden: Record<string, string> = {
  'deleted files that are open': perl(`${use} ${files('x', keep)}`),
  'deleted files whose holder hides itself': perl(`${use} ${files('x', keep)} ${hide}`),
  'folders deeper than any path': perl(`for (1..30) { mkdir "y" x 200; chdir "y" x 200 } ${files('x', '')}`),
  'a closed folder': perl(`mkdir "c"; ${files('c/x', '')} chmod 0, "c";`),
};

const threadsProgram = `
const { Worker } = require('node:worker_threads');
const wanted = Number(process.argv[2]);
const start = (count) => {
  if (count === wanted) return console.log('all'), process.exit();
  new Worker('require("node:worker_threads").parentPort.postMessage(1); setInterval(() => {}, 1000)', { eval: true })
    .once('message', () => start(count + 1))
    .once('error', () => process.exit(1));
};
start(0);
`;

const amount = (command: string, mebibytes: number) => command.replaceAll('AMOUNT', String(mebibytes));
const run = async (user: User, command: string, policy = limits): Promise<Outcome> => {
  const outcome = await user.play({ steps: [{ command, policy, timeoutMs: 15_000 }] });
  outputs(outcome);
  return outcome;
};

describe.each(users)('$name', (user) => {
  test.each(Object.entries(memoryHidden))(
    'memory: %s',
    async (_, command) => {
      const over = await run(user, amount(command, 240), { ...limits, diskBytesMax: 300 * mebibyte });
      expect(over.results).toMatchObject([{ status: 'killed', limit: 'memory' }]);
      const below = await run(user, amount(command, 240), {});
      expect(outputs(below)).toEqual(['FULL\nEND\n']);
    },
    60_000,
  );

  test.each(Object.entries(diskHidden))(
    'disk: %s',
    async (_, command) => {
      const over = await run(user, amount(command, 160), { ...limits, memoryBytesMax: 1024 * mebibyte });
      expect(over.results).toMatchObject([{ status: 'killed', limit: 'disk' }]);
      const below = await run(user, amount(command, 160), {});
      expect(outputs(below)).toEqual(['FULL\nEND\n']);
    },
    60_000,
  );

  test('threads count as processes', async () => {
    const start = async (threads: number) => {
      const outcome = await user.play({
        files: { 'threads.cjs': threadsProgram },
        steps: [
          {
            command: `{ node threads.cjs ${threads}; } 2>/dev/null`,
            policy: { processesMax: 60, memoryBytesMax: 64 * 1024 * mebibyte },
          },
        ],
      });
      return outputs(outcome)[0];
    };
    expect(await start(20)).toBe('all\n');
    expect(await start(80)).not.toContain('all');
  }, 60_000);

  test('shared memory that can not be counted is given in small pieces only', async () => {
    const piece = (bytes: string) => `print syscall(${shmget}, 0, ${bytes}, 0600) < 0 ? "no $!" : "yes", "\\n";`;
    const command = `perl -e '${piece('65536')} ${piece('65537')} ${piece('4294967296')} print "END\n"'`;
    expect(outputs(await run(user, command))).toEqual([
      'yes\nno Cannot allocate memory\nno Cannot allocate memory\nEND\n',
    ]);
  });
});
