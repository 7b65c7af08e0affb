/** A terminal with a program in it, driven as a person would: keys in, screen out. It is tmux on a private socket. */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const columns = 120;
const rows = 40;
const pollMs = 40;
const seenTimeoutMs = 15_000;

export type Terminal = AsyncDisposable & {
  /** Text as it is typed. */
  type(text: string): Promise<void>;
  /** Keys by tmux's names: Enter, Escape, Down, C-c. */
  press(...keys: readonly string[]): Promise<void>;
  /** What is on the screen, without trailing blanks. */
  screen(): Promise<string>;
  /** Waits until the screen shows it, and answers with the match. Fails with the screen in the message. */
  sees(what: RegExp): Promise<RegExpMatchArray>;
  /** Waits until the screen does not show it any more. */
  gone(what: RegExp): Promise<void>;
  /** SIGKILL, to the program and to those of its name that it has started. */
  kill(): Promise<void>;
};

/**
 * Runs a program. `folder` is for the socket; the environment is exactly the one given, with a TERM.
 * Disposing it ends the program with its terminal.
 */
export async function openTerminal(options: {
  command: readonly string[];
  cwd: string;
  folder: string;
  environment: Readonly<Record<string, string>>;
}): Promise<Terminal> {
  const { command, cwd, folder, environment } = options;
  const socket = join(folder, 'tmux');
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      env: { ...environment, LC_ALL: 'C.UTF-8' },
    });
    return stdout;
  };
  const size = ['-x', String(columns), '-y', String(rows)];
  try {
    // tmux itself must outlive the program, so that its last screen can be shown.
    await tmux('-u', 'new-session', '-d', ...size, '-c', cwd, 'cat');
    await tmux('set-option', '-g', 'remain-on-exit', 'on');
    await tmux('set-option', '-g', 'escape-time', '0');
    await tmux('respawn-pane', '-k', '-c', cwd, ...command);
  } catch (error) {
    throw new Error('tmux did not start; install it (apt-get install tmux).', { cause: error });
  }

  const screen = async (): Promise<string> => (await tmux('capture-pane', '-p')).replace(/[ \n]+$/gm, '\n').trimEnd();
  const until = async <T>(failure: string, found: (shown: string) => T | null): Promise<T> => {
    const deadline = performance.now() + seenTimeoutMs;
    for (;;) {
      const shown = await screen();
      const result = found(shown);
      if (result !== null) return result;
      if (performance.now() > deadline) throw new Error(`${failure} within ${seenTimeoutMs} ms:\n${shown}`);
      await wait(pollMs);
    }
  };
  return {
    type: async (text) => void (await tmux('send-keys', '-l', text)),
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    screen,
    sees: (what) => until(`${what} did not appear`, (shown) => shown.match(what)),
    gone: async (what) => void (await until(`${what} did not go away`, (shown) => (what.test(shown) ? null : [shown]))),
    async kill() {
      const pid = Number(await tmux('display-message', '-p', '#{pane_pid}'));
      for (const one of sameProgram(pid)) process.kill(one, 'SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => undefined);
    },
  };
}

/** A terminal editor may be two processes of one program, the screen and the editor itself. */
function sameProgram(pid: number): number[] {
  const program = readlinkSync(`/proc/${pid}/exe`);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children.map(Number).filter((child) => readlinkSync(`/proc/${child}/exe`) === program)];
}
