/** A workspace and a state folder on the real disk, gone again at the end, with nothing of ours left running or mounted. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeTree } from '../../server/workspace/remove-tree.ts';
import { parseFiles } from './files.ts';

const ownersMs = 11_000;
const hostEndMs = 5_000;

/** One string with `-- path --` headers, or a map of path to text. */
export type Files = string | Readonly<Record<string, string>>;

export type TestWorkspace = AsyncDisposable & {
  root: string;
  stateDir: string;
  /** Text of a file on disk; undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  write(path: string, text: string): Promise<void>;
};

/** `git`: a repository with everything committed. Default true. */
export async function makeWorkspace(files: Files, options: { git?: boolean } = {}): Promise<TestWorkspace> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-test-')));
  // An ordinary user inside the sandbox must be able to walk to the workspace.
  await chmod(top, 0o755);
  const root = join(top, 'project');
  const stateDir = join(top, 'state');
  await mkdir(root);
  await mkdir(stateDir, { mode: 0o700 });
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  for (const [path, text] of Object.entries(typeof files === 'string' ? parseFiles(files) : files))
    await write(path, text);
  if (options.git ?? true) {
    git(root, 'init', '-q', '-b', 'main');
    git(root, 'add', '-A');
    git(root, 'commit', '-q', '--allow-empty', '-m', 'start');
  }
  return {
    root,
    stateDir,
    write,
    read: (path) => readFile(join(root, path), 'utf8').catch(() => undefined),
    async [Symbol.asyncDispose]() {
      await hostEnded(stateDir);
      await ownersAreKnown(top);
      const left = processesOf(top);
      const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(top));
      // Whatever its permissions, as those that an overlay leaves; a look at the review may still be ending there.
      await removeTree(top).catch(() => rm(top, { recursive: true, force: true, maxRetries: 5 }));
      if (left.length > 0) throw new Error(`still running: ${left.join('; ')}`);
      if (mounts.length > 0) throw new Error(`still mounted: ${mounts.join('; ')}`);
      if (existsSync(top)) throw new Error(`${top} could not be removed`);
    },
  };
}

export function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
}

/** The look for foreign owners goes on behind a turn that needed none: bounded in time, and it ends by itself. */
async function ownersAreKnown(folder: string): Promise<void> {
  const deadline = performance.now() + ownersMs;
  const isLooking = () => processesOf(folder).some((line) => /\/find .* -xdev /.test(line));
  while (isLooking() && performance.now() < deadline) await delay(20);
}

/** A host of tests ends when the last that was connected has gone: bounded in time, and seen by its lock. */
export async function hostEnded(stateDir: string): Promise<void> {
  const folder = join(stateDir, 'host');
  const deadline = performance.now() + hostEndMs;
  const lives = () => existsSync(folder) && readdirSync(folder).some((name) => isHeld(join(folder, name)));
  while (lives() && performance.now() < deadline) await delay(20);
  if (lives()) throw new Error('the host still lives');
}

/** A lock whose process lives. */
function isHeld(path: string): boolean {
  try {
    return path.endsWith('.lock') && existsSync(`/proc/${JSON.parse(readlinkSync(path)).pid}`);
  } catch {
    return false;
  }
}

/** Command lines of living processes that name a folder, other than this one. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(folder) ? [command.slice(0, 300)] : [];
      } catch {
        return [];
      }
    });
}
