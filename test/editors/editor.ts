/** Real editors in terminals, with a project, the configuration of `clients/`, the built server and a scripted model. */
import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hostEnded } from '../support/workspace.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const run = promisify(execFile);
export const repository = join(import.meta.dirname, '../..');

export type Editor = Terminal & {
  /** The project's folder. */
  root: string;
  /** A file of the project as it is on disk. */
  onDisk(path: string): Promise<string>;
};

type ProgramName = 'nvim' | 'hx' | 'emacs';
type ProjectOptions = {
  files: Readonly<Record<string, string>>;
  /** Copied into the home folder's `.config`: from (in the repository) to (in `.config`). */
  configuration?: Readonly<Record<string, string>>;
  baseURL: string;
};

/** A project in a home folder of its own, for one editor or several; all of them have one host. */
export type Project = AsyncDisposable & {
  root: string;
  onDisk(path: string): Promise<string>;
  /** Closed with the project. */
  open(name: ProgramName, args: readonly string[]): Promise<Terminal>;
};

export async function openEditor(
  name: ProgramName,
  { args, ...options }: ProjectOptions & { args: readonly string[] },
): Promise<Editor> {
  const project = await openProject(options);
  try {
    const { root, onDisk } = project;
    const terminal = await project.open(name, args);
    return { ...terminal, root, onDisk, [Symbol.asyncDispose]: () => project[Symbol.asyncDispose]() };
  } catch (error) {
    await project[Symbol.asyncDispose]();
    throw error;
  }
}

export async function openProject(options: ProjectOptions): Promise<Project> {
  await access(join(repository, 'dist/main.js')).catch(() => {
    throw new Error('There is no dist/main.js: run `npm run build` first.');
  });
  // Not /tmp itself: the project must be a place like any user's, and the sandbox has a /tmp of its own.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'codex-lsp-editor-')));
  const home = join(folder, 'home');
  const root = join(home, 'project');
  const bin = join(folder, 'bin');
  await writeFiles(root, options.files);
  await run('git', ['init', '--quiet', root]);
  for (const [from, to] of Object.entries(options.configuration ?? {})) {
    await mkdir(dirname(join(home, '.config', to)), { recursive: true });
    await cp(join(repository, from), join(home, '.config', to));
  }
  await writeFiles(bin, {
    'codex-lsp': `#!/bin/sh\nexec '${process.execPath}' '${join(repository, 'bin/codex-lsp.js')}' "$@"\n`,
  });
  await chmod(join(bin, 'codex-lsp'), 0o755);

  const terminals: Terminal[] = [];
  return {
    root,
    onDisk: (path) => readFile(join(root, path), 'utf8'),
    async open(name, args) {
      const program = await findEditor(name);
      const own = join(folder, `terminal-${terminals.length + 1}`);
      await mkdir(own);
      const terminal = await openTerminal({
        command: [program, ...args],
        cwd: root,
        folder: own,
        environment: {
          PATH: [bin, '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
          HOME: home,
          TERM: 'screen-256color',
          LANG: 'C.UTF-8',
          OPENAI_API_KEY: 'scripted',
          OPENAI_BASE_URL: options.baseURL,
          CODEX_LSP_HOST_IDLE_SECONDS: '0',
        },
      });
      terminals.push(terminal);
      return terminal;
    },
    async [Symbol.asyncDispose]() {
      for (const terminal of terminals) await terminal[Symbol.asyncDispose]();
      await hostEnded(join(home, '.local/state/codex-lsp'));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function findEditor(name: string): Promise<string> {
  const folder = process.env.CODEX_LSP_EDITORS ?? join(homedir(), '.cache/codex-lsp-editors');
  const program = join(folder, 'bin', name);
  await access(program).catch(() => {
    throw new Error(
      `There is no ${program}: run test/editors/setup-editors.sh first; it installs the editors of these tests.`,
    );
  });
  return program;
}
