/** The built program as a child process. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/codex-lsp.js', import.meta.url));
const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export type Program = {
  child: ChildProcessWithoutNullStreams;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when stderr or stdout holds the text. */
  says(text: string): Promise<void>;
  /** The exit code, or 128 + n after a signal. */
  ended: Promise<number>;
};

export function startProgram(
  args: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string | undefined>;
    input?: string;
    nodeArgs?: readonly string[];
    /** Another than that of this checkout. */
    bin?: string;
    /** In a session of its own, as the host is. */
    detached?: boolean;
  } = {},
): Program {
  if (!existsSync(built)) throw new Error('dist/ is missing: run `npm run build` before the tests.');
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NO_COLOR: '1',
    CODEX_LSP_HOST_IDLE_SECONDS: '0',
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), options.bin ?? bin, ...args], {
    cwd: options.cwd,
    env,
    detached: options.detached,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  if (options.input !== undefined) child.stdin.end(options.input);
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => (stdout.includes(text) || stderr.includes(text)) && resolve();
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.on('close', () => reject(new Error(`It ended without saying '${text}': ${stderr}`)));
        look();
      }),
    ended,
  };
}

export async function runProgram(...args: Parameters<typeof startProgram>) {
  const program = startProgram(...args);
  if (args[1]?.input === undefined) program.child.stdin.end();
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}
