/** Many turns at once in one host, and somebody who types meanwhile: real processes, each party one of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { sparing } from '../../server/host/start.ts';
import type { EventEnvelope } from '../../server/protocol/thread.ts';
import { type Program, startProgram } from '../support/program.ts';
import { makeWorkspace } from '../support/workspace.ts';
import { firstPrompt, type LoadSize, loadFiles, promptOf, typedPath } from './load-script.ts';
import { startTyping, type Typed } from './typist.ts';
import { undisturbed } from './undisturbed.ts';

export type Load = Typed & {
  seconds: number;
  /** No other process kept host, relay and editor from a processor. */
  isUndisturbed: boolean;
  commands: number;
  events: number;
  /** What was not as it must be, as sentences: turns that failed, events that did not come. */
  problems: string[];
  host: { peakMiB: number; cpuMs: number; loop: { p99Ms: number; mostMs: number } };
};

type Heard = { byThread: Map<string, EventEnvelope[]>; ended(count: number): Promise<void> };

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Of Node, for the host alone: to profile it with `--cpu-prof`, say. */
const nodeArgs = (process.env.LOAD_HOST_NODE_ARGS ?? '').split(' ').filter((argument) => argument !== '');

export async function measureLoad(size: LoadSize): Promise<Load> {
  await using workspace = await makeWorkspace(loadFiles(size));
  await using model = await startModelProcess(size);
  const probeFile = join(workspace.stateDir, '..', 'probe.json');
  const env = {
    CODEX_LSP_STATE_DIR: workspace.stateDir,
    XDG_CONFIG_HOME: join(workspace.stateDir, 'config'),
    OPENAI_API_KEY: 'sk-bench',
    OPENAI_BASE_URL: model.baseURL,
    LOAD_PROBE_FILE: probeFile,
  };
  const host = startProgram(['host'], {
    env: { ...env, ...sparing.environment },
    detached: true,
    nodeArgs: [...sparing.nodeArgs, '--import', here('load-probe.ts'), ...nodeArgs],
  });
  await host.says('ready');
  const relay = startProgram(['--stdio', '-c', `limits.parallelTurns=${size.turns}`], { cwd: workspace.root, env });
  const { connection, heard } = openClient(relay);
  await connection.sendRequest('initialize', {
    processId: null,
    rootUri: pathToFileURL(workspace.root).href,
    capabilities: { experimental: { codex: { events: true } }, window: { workDoneProgress: true } },
  });
  await connection.sendNotification('initialized', {});
  const uri = pathToFileURL(join(workspace.root, typedPath)).href;
  const text = loadFiles(size)[typedPath];
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'typescript', version: 1, text },
  });

  await connection.sendRequest('codex/runTask', { prompt: firstPrompt });
  await heard.ended(1);

  const startedAt = performance.now();
  const pids = [host.child.pid ?? 0, relay.child.pid ?? 0, process.pid];
  const isUndisturbed = undisturbed(pids);
  const typing = startTyping(connection, { ...size, uri, pids });
  const turns = Array.from({ length: size.turns }, (_, turn) =>
    connection.sendRequest<{ threadId: string }>('codex/runTask', { prompt: promptOf(turn) }),
  );
  const threads = (await Promise.all(turns)).map(({ threadId }) => threadId);
  await heard.ended(1 + size.turns);
  const seconds = (performance.now() - startedAt) / 1000;
  const typed = await typing.end();

  const problems: string[] = [];
  let events = 0;
  for (const threadId of threads) {
    const kept = await connection.sendRequest<{ events: EventEnvelope[] }>('codex/thread', { threadId });
    const live = heard.byThread.get(threadId) ?? [];
    events += live.length;
    problems.push(...problemsOf(threadId, live, kept.events, size));
  }
  const peakMiB = await peakMiBOf(host.child.pid ?? 0);
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  if ((await relay.ended) !== 0) problems.push('the relay did not end well');
  await host.ended;
  const probe = JSON.parse(await readFile(probeFile, 'utf8'));
  return {
    ...typed,
    seconds,
    isUndisturbed,
    commands: size.turns * size.commands,
    events,
    problems,
    host: { peakMiB, ...probe },
  };
}

function openClient({ child }: Program) {
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const byThread: Heard['byThread'] = new Map();
  let ends = 0;
  let look = (): unknown => undefined;
  connection.onNotification('$/codex/event', (envelope: EventEnvelope) => {
    const events = byThread.get(envelope.threadId) ?? [];
    byThread.set(envelope.threadId, events);
    events.push(envelope);
    if (envelope.event.type === 'turnCompleted') ends += 1;
    look();
  });
  connection.onNotification(() => {});
  connection.onRequest(() => null);
  connection.listen();
  const heard: Heard = {
    byThread,
    ended: (count) =>
      new Promise((resolve) => {
        look = () => ends >= count && resolve();
        look();
      }),
  };
  return { connection, heard };
}

/** Numbered without a gap from 1 on, the same on the wire and in the journal, and all commands and the turn done. */
function problemsOf(
  threadId: string,
  live: readonly EventEnvelope[],
  kept: readonly EventEnvelope[],
  size: LoadSize,
): string[] {
  const numbered = live.filter(({ seq }) => seq !== undefined);
  const commands = numbered.filter(
    ({ event }) => event.type === 'itemCompleted' && event.item.type === 'command' && event.item.status === 'completed',
  );
  const end = numbered.find(({ event }) => event.type === 'turnCompleted')?.event;
  const status = end?.type === 'turnCompleted' ? end.status : 'never ended';
  const gap = numbered.findIndex(({ seq }, index) => seq !== index + 1);
  return [
    ...(status === 'completed' ? [] : [`${threadId}: ${status} ${JSON.stringify(end)}`]),
    ...(commands.length === size.commands ? [] : [`${threadId}: ${commands.length} commands of ${size.commands}`]),
    ...(gap < 0 ? [] : [`${threadId}: after event ${gap} came ${numbered[gap]?.seq}`]),
    ...(isDeepStrictEqual(numbered, kept.slice(0, numbered.length))
      ? []
      : [`${threadId}: ${numbered.length} events came, ${kept.length} are kept, or they differ`]),
  ];
}

async function startModelProcess(size: LoadSize): Promise<AsyncDisposable & { baseURL: string }> {
  const child = spawn(process.execPath, [here('load-model.ts'), JSON.stringify(size)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const [baseURL] = await once(lines, 'line');
  return {
    baseURL,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** The most memory it has ever had, as the kernel counts it. */
export async function peakMiBOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
