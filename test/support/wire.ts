/** The built program over real processes: clients of a few lines, a workspace with a scripted model, and who listens there. */
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { EventEnvelope } from '../../server/protocol/thread.ts';
import { type Script, soon, startModel } from './model.ts';
import { type Program, startProgram } from './program.ts';
import { type Files, makeWorkspace } from './workspace.ts';

type Heard = { kind: 'response' | 'event'; what: string };

/** A client of a few lines: what it hears, in the order in which it came. */
export function connect(input: Readable, output: Writable) {
  const connection = createMessageConnection(new StreamMessageReader(input), new StreamMessageWriter(output));
  const heard: Heard[] = [];
  const events: EventEnvelope[] = [];
  const waiting = new Set<() => void>();
  connection.onNotification('$/codex/event', (envelope: EventEnvelope) => {
    events.push(envelope);
    heard.push({ kind: 'event', what: envelope.event.type });
    for (const look of waiting) look();
  });
  connection.onNotification(() => {});
  connection.onRequest('workspace/applyEdit', () => ({ applied: false }));
  connection.onRequest(() => null);
  connection.listen();
  return {
    heard,
    events,
    connection,
    /** Called with each event from here on. */
    hears: (listen: () => void): void => void waiting.add(listen),
    async request(method: string, params: object = {}): Promise<Record<string, unknown>> {
      const result = await connection.sendRequest<Record<string, unknown>>(method, params);
      heard.push({ kind: 'response', what: method });
      return result;
    },
    event: (fits: (envelope: EventEnvelope) => boolean) =>
      soon(
        new Promise<EventEnvelope>((resolve) => {
          const look = () => {
            const found = events.find(fits);
            if (!found) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        }),
        'an event',
      ),
  };
}

export type WireClient = ReturnType<typeof connect>;

export async function programBench(scripted: Script, files: Files = { 'a.txt': 'one\ntwo\n' }) {
  const workspace = await makeWorkspace(files);
  const model = await startModel(scripted);
  const env = {
    CODEX_LSP_STATE_DIR: workspace.stateDir,
    XDG_CONFIG_HOME: join(workspace.stateDir, 'config'),
    OPENAI_API_KEY: 'sk-test-secret',
    OPENAI_BASE_URL: model.baseURL,
  };
  const initialize = {
    processId: null,
    rootUri: pathToFileURL(workspace.root).href,
    capabilities: { experimental: { codex: { events: true } } },
  };
  return {
    workspace,
    env,
    initialize,
    start: (...args: string[]): Program => startProgram(args, { cwd: workspace.root, env }),
    async [Symbol.asyncDispose]() {
      await model.close();
      await workspace[Symbol.asyncDispose]();
      model.assertUsedUp();
    },
  };
}
