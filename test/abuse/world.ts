/** A small world around a workspace: a home with secrets, services that listen, a process; all to be left alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type HostPlace, hostPlace } from '../../server/host/place.ts';
import { removeTree } from '../../server/workspace/remove-tree.ts';
import { bash, treeOf, writeFiles } from '../sandbox/scenario.ts';
import { isRoot, ordinaryId } from '../sandbox/users.ts';
import type { Outside } from './types.ts';

/** In every secret of a world; no output of a command may hold it. */
export const secretWord = 'TOPSECRET';

const secretFiles = [
  '.ssh/id_rsa',
  '.aws/credentials',
  '.netrc',
  '.config/gh/hosts.yml',
  '.docker/config.json',
  '.npmrc',
  '.git-credentials',
  '.codex/auth.json',
  '.kube/config',
  '.bash_history',
  '.zsh_history',
  '.python_history',
];

/** Where a command could leave a file, if it could. */
const plantFolders = [
  '/',
  '/etc',
  '/usr/bin',
  '/usr/local/bin',
  '/opt',
  '/tmp',
  '/var/tmp',
  '/dev/shm',
  '/run',
  '/root',
  '/srv',
];

const kernelFiles = ['kernel/core_pattern', 'vm/swappiness', 'kernel/hostname', 'kernel/modprobe', 'fs/suid_dumpable'];

export type World = AsyncDisposable & {
  /** In every path of it. */
  id: string;
  /** Where the workspace is put. */
  projects: string;
  /** Of the server and of whoever asks for a command; full of secrets. */
  environment: Record<string, string>;
  fill: (text: string) => string;
  /** The same back, for paths. */
  unfill: (text: string) => string;
  observe: () => Outside;
};

export async function makeWorld({ asRoot }: { asRoot: boolean }): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-abuse-'));
  chmodSync(folder, 0o755);
  const [home, sentinel, services, projects] = ['home', 'sentinel', 'services', 'home/projects'].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  });
  if (!home || !sentinel || !services || !projects) throw new Error('a world has four folders');
  const id = basename(folder);
  writeFiles(home, {
    ...Object.fromEntries(secretFiles.map((path) => [path, `${secretWord} ${path}\n`])),
    '.bashrc': '# theirs\n',
    '.profile': '# theirs\n',
    '.gitconfig': '[user]\n\tname = theirs\n',
  });
  writeFiles(sentinel, { theirs: `${secretWord} theirs\n`, 'folder/theirs': `${secretWord} theirs too\n` });
  const owner = isRoot && !asRoot ? ordinaryId : undefined;
  const hostPlaces = await makeHostPlaces(home, id);
  const connections: string[] = [];
  const listening = await Promise.all([
    listen('tcp', { host: '127.0.0.1', port: 0 }, connections),
    listen('socket', { path: join(services, 'socket') }, connections),
    listen('abstract socket', { path: `\0${id}` }, connections),
    listen('host', { path: hostPlaces.near.socket }, connections),
    listen('host of a long state folder', { path: hostPlaces.far.socket }, connections),
  ]);
  chmodSync(join(services, 'socket'), 0o777);
  if (owner !== undefined) {
    bash(folder, `chown -R ${owner}:${owner} home sentinel ${hostPlaces.far.folder}`);
    chownSync(folder, owner, owner);
  }
  const other = startOther(owner);
  const port = listening.map((server) => server.address()).find((address) => typeof address === 'object');
  const names: Record<string, string> = {
    ID: id,
    HOME: home,
    SENTINEL: sentinel,
    SERVICES: services,
    HOSTSOCKET: hostPlaces.near.socket,
    HOSTTOKEN: hostPlaces.near.token,
    FARSOCKET: hostPlaces.far.socket,
    FARTOKEN: hostPlaces.far.token,
    PORT: String(typeof port === 'object' ? port?.port : ''),
    PID: String(other.pid),
  };
  return {
    id,
    projects,
    environment: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: projects,
      LANG: 'C.UTF-8',
      OPENAI_API_KEY: `sk-test-${secretWord}`,
      GITHUB_TOKEN: `ghp_${secretWord}`,
      AWS_SECRET_ACCESS_KEY: `aws${secretWord}`,
      SSH_AUTH_SOCK: join(services, 'socket'),
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(services, 'socket')}`,
      XDG_RUNTIME_DIR: services,
      LD_PRELOAD_OF_THE_USER: secretWord,
    },
    fill: (text) => text.replace(/@([A-Z]+)@/g, (whole, name: string) => names[name] ?? whole),
    unfill: (text) => text.replaceAll(home, '@HOME@').replaceAll(sentinel, '@SENTINEL@'),
    observe: () => ({
      files: { ...treeAround(home, 'home'), ...treeAround(sentinel, 'sentinel') },
      planted: [...plantFolders, tmpdir(), folder, projects]
        .map((place) => join(place, `planted-${id}`))
        .filter(existsSync),
      connections: [...connections],
      processIsAlive: other.exitCode === null && other.signalCode === null,
      kernel: Object.fromEntries(
        kernelFiles
          .filter((name) => existsSync(`/proc/sys/${name}`))
          .map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8')]),
      ),
    }),
    async [Symbol.asyncDispose]() {
      other.kill('SIGKILL');
      for (const server of listening) server.close();
      await removeTree(folder);
      await removeTree(hostPlaces.far.folder);
    },
  };
}

/** What a host of the user has on disk: below the state folder, and among the temporary files where its path is a long one. */
async function makeHostPlaces(home: string, id: string): Promise<{ near: HostPlace; far: HostPlace }> {
  const stateFolder = join(home, '.local/state/codex-lsp');
  const near = await hostPlace(stateFolder, '1.0.0');
  const far = await hostPlace(join(stateFolder, id, 'x'.repeat(120)), '1.0.0');
  for (const { folder, token } of [near, far]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(token, `${secretWord} token\n`, { mode: 0o600 });
  }
  return { near, far };
}

function treeAround(folder: string, name: string): Record<string, string> {
  const entries = Object.entries(treeOf(folder)).filter(([path]) => !path.startsWith('projects/'));
  return Object.fromEntries(entries.map(([path, what]) => [`${name}/${path}`, what]));
}

/** A process of the same user that a command would have to leave alone. */
function startOther(owner: number | undefined): ChildProcess {
  return spawn('/bin/sleep', ['100000'], {
    ...(owner === undefined ? {} : { uid: owner, gid: owner }),
    env: {},
    cwd: '/',
    stdio: 'ignore',
    detached: true,
  });
}

async function listen(
  name: string,
  where: { host?: string; port?: number; path?: string },
  connections: string[],
): Promise<Server> {
  const server = createServer((socket) => {
    connections.push(name);
    socket.on('error', () => {}).end('hello\n');
  });
  server.listen(where);
  await once(server, 'listening');
  return server;
}
