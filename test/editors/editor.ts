/** A real editor in a terminal, with a project, the configuration of `clients/`, the built server and a scripted model. */
import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openTerminal, type Terminal } from './terminal.ts';

const run = promisify(execFile);
export const repository = join(import.meta.dirname, '../..');

export type Editor = Terminal & {
  /** The project's folder. */
  root: string;
  /** A file of the project as it is on disk. */
  onDisk(path: string): Promise<string>;
};

/**
 * @param name the program: nvim, hx, emacs
 * @param options.configuration copied into the home folder's `.config`: from (in the repository) to (in `.config`)
 */
export async function openEditor(
  name: 'nvim' | 'hx' | 'emacs',
  options: {
    files: Readonly<Record<string, string>>;
    args: readonly string[];
    configuration?: Readonly<Record<string, string>>;
    baseURL: string;
  },
): Promise<Editor> {
  const program = await findEditor(name);
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

  const terminal = await openTerminal({
    command: [program, ...options.args],
    cwd: root,
    folder,
    environment: {
      PATH: [bin, '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
      HOME: home,
      TERM: 'screen-256color',
      LANG: 'C.UTF-8',
      OPENAI_API_KEY: 'scripted',
      OPENAI_BASE_URL: options.baseURL,
    },
  });
  return {
    ...terminal,
    root,
    onDisk: (path) => readFile(join(root, path), 'utf8'),
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
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
