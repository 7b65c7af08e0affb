/** `codex-lsp host`: the one process of a user that holds threads and turns, and serves every editor and shell. */
import type { Socket } from 'node:net';
import { homedir } from 'node:os';
import { serve as serveEditor } from '../editor/serve.ts';
import { doorOf, type Guest, refuse, replaced, welcome } from '../host/accept.ts';
import { farStreams } from '../host/command-far.ts';
import { open } from '../host/connect.ts';
import { refuseDirect } from '../host/direct.ts';
import { listen } from '../host/listen.ts';
import { type HostPlace, hostPlace, openHostFolder } from '../host/place.ts';
import { startHost } from '../host/start.ts';
import { useLauncher } from '../sandbox/launcher.ts';
import { openTasks } from '../task/open.ts';
import { stateFault } from '../task/state-fault.ts';
import { openStateFolder } from '../task/state-folder.ts';
import type { Tasks } from '../task/tasks.ts';
import type { Shell } from './attach.ts';
import { subcommands } from './commands.ts';
import { idleWatch } from './idle.ts';
import { logUncaught, openLog } from './log.ts';
import { type CliOptions, readSettings } from './options.ts';
import { stateDirOf } from './places.ts';
import { pruneBySettings } from './prune.ts';
import { failed, runSubcommand } from './subcommand.ts';
import { UsageError } from './usage-error.ts';

const idleSecondsDefault = 30;
const fullSaidMs = 60_000;
const dayMs = 24 * 60 * 60 * 1000;

/** Says `ready` on stdout when it listens, or when another does; else one line that says why not. */
export async function host(args: readonly string[], shell: Shell): Promise<number> {
  const unknown = args.find((argument) => argument !== '--start');
  if (unknown !== undefined) throw new UsageError(`host has no argument '${unknown}'; it takes --start.`);
  const stateFolder = await openStateFolder(stateDirOf(shell.environment));
  const isStart = args.includes('--start');
  try {
    const place = await hostPlace(stateFolder, shell.version);
    await openHostFolder(place.folder);
    return await (isStart ? start(place, stateFolder, shell) : run(place, stateFolder, shell));
  } catch (error) {
    const fault = stateFault(error, stateFolder);
    if (isStart) throw fault;
    return told(fault, shell);
  }
}

async function start(place: HostPlace, stateFolder: string, shell: Shell): Promise<number> {
  const running = await open(place.socket);
  running?.destroy();
  const { environment, program = '' } = shell;
  const started = running ? { ready: true } : await startHost({ program, stateDir: stateFolder, environment });
  if ('reason' in started) throw new Error(started.reason);
  shell.stdout.write(`${JSON.stringify({ socket: place.socket, token: place.token })}\n`);
  return 0;
}

type Room = {
  tasks: Tasks;
  stateFolder: string;
  version: string;
  build: string;
  log: (message: string) => void;
  /** Takes no new guests from here on. */
  makeRoom(): void;
};

async function run(place: HostPlace, stateFolder: string, shell: Shell): Promise<number> {
  const { version, build, stdout, signal } = shell;
  useLauncher();
  const tasks = await openTasks({ stateDir: stateFolder });
  const log = openLog(stateFolder);
  logUncaught(log);
  const makeRoom = (): void => {
    listening?.close();
    listening?.release();
  };
  const room: Room = { tasks, stateFolder, version, build, log, makeRoom };
  const prune = () => pruneBySettings(tasks, shell, log);
  const daily = setInterval(prune, dayMs);
  const idle = idleWatch(tasks, idleMsOf(shell.environment));
  const connections = new Set<Socket>();
  const letIn = doorOf(atMostEvery(fullSaidMs, log));
  const listening = await listen(place, (socket, token) => {
    const leave = idle.enter();
    connections.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      connections.delete(socket);
      leave();
    });
    void letIn(socket, token)
      .then((guest) => guest && receive(socket, guest, room))
      .catch((error) => {
        log(`a connection failed: ${error instanceof Error ? error.stack : String(error)}`);
        socket.destroy();
      });
  });
  // The one line that whoever started it waits for.
  stdout.write('ready\n');
  if (!listening) return 0;
  log(`host ${version} listens`);
  await Promise.race([idle.over, aborted(signal)]);
  listening.close();
  clearInterval(daily);
  for (const socket of connections) socket.end();
  if (!signal.aborted) {
    // Removing copies may take a while: the next host need not wait for it.
    listening.release();
    await prune();
  }
  await tasks.close();
  for (const socket of connections) socket.destroy();
  listening.release();
  log(`host ${version} ends`);
  return 0;
}

async function receive(socket: Socket, guest: Guest, room: Room): Promise<void> {
  if (guest.kind !== 'direct' && guest.build !== room.build) {
    // What it has begun it brings to its end.
    room.makeRoom();
    return replaced(socket);
  }
  const settings = await readSettings(guest.environment, guest.flags).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    if (guest.kind === 'direct') refuseDirect(socket, guest.id, error.message);
    else refuse(socket, `${error.message}\nTry 'codex-lsp --help'.`, 2);
  });
  // Gone meanwhile: nobody would end what is begun for it.
  if (!settings || socket.destroyed) return;
  if (guest.kind === 'command') {
    welcome(socket);
    return carryOut(socket, guest, { ...settings, ...room, stateDir: room.stateFolder });
  }
  if (guest.kind === 'editor') welcome(socket);
  for (const { message } of settings.problems) room.log(message);
  const end = serveEditor({
    input: socket,
    output: socket,
    tasks: room.tasks,
    environment: guest.environment,
    settings: settings.sources,
    version: room.version,
    stateFolder: room.stateFolder,
    homeFolder: homedir(),
    log: room.log,
    // The relay takes the last byte as its exit code.
    exit: (code) => (guest.kind === 'editor' ? socket.end(Buffer.of(code === 0 ? 0 : 1)) : socket.end()),
  });
  // Half of it closed: the editor is gone, or has nothing more to say.
  socket.once('end', () => end(1));
  socket.resume();
}

async function carryOut(
  socket: Socket,
  guest: Extract<Guest, { kind: 'command' }>,
  options: Pick<CliOptions, 'settings' | 'sources' | 'problems' | 'stateDir' | 'version' | 'tasks'>,
): Promise<void> {
  const { exit, ...streams } = farStreams(socket, guest);
  const [name = '', ...args] = guest.args;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  const whole = { ...options, ...streams, environment: guest.environment, cwd: guest.cwd };
  if (subcommand?.isThroughHost) exit(await runSubcommand(subcommand, args, whole));
  else exit(failed(new Error(`the host does not carry out '${name}'.`), streams.stderr));
}

/** Drops what comes sooner after the last. */
function atMostEvery(ms: number, say: (message: string) => void): (message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (performance.now() - last < ms) return;
    last = performance.now();
    say(message);
  };
}

/** On stdout, where whoever started it reads. */
function told(error: unknown, { stdout }: Shell): number {
  stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}

function idleMsOf({ CODEX_LSP_HOST_IDLE_SECONDS: given }: Shell['environment']): number {
  const seconds = given === undefined ? idleSecondsDefault : Number(given);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  throw new UsageError(`CODEX_LSP_HOST_IDLE_SECONDS is a number of seconds, not '${given}'.`);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
