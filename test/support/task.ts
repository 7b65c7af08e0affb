/** A task with no editor: the real `Tasks`, a real sandbox, a strict scripted model. */
import type { Settings } from '../../server/protocol/settings.ts';
import { defaultSettings } from '../../server/protocol/settings.ts';
import type { EventEnvelope, ThreadEvent, ThreadEventOf } from '../../server/protocol/thread.ts';
import { openTasks } from '../../server/task/open.ts';
import { type Face, noDocuments, type OpenDocuments, type TaskRequest } from '../../server/task/ports.ts';
import type { Tasks } from '../../server/task/tasks.ts';
import { type Script, type StrictModel, startModel } from './model.ts';
import { type Files, makeWorkspace, type TestWorkspace } from './workspace.ts';

export type Bench = AsyncDisposable & {
  workspace: TestWorkspace;
  model: StrictModel;
  tasks: Tasks;
  settings: Settings;
  /** Every event so far, in order. */
  events: EventEnvelope[];
  /** Starts a turn. */
  start(prompt: string, more?: Partial<TaskRequest>): Promise<{ threadId: string; turnId: string }>;
  /** Starts a turn and waits for its end. */
  run(prompt: string, more?: Partial<TaskRequest>): Promise<{ threadId: string; end: ThreadEventOf<'turnCompleted'> }>;
  /** The first event, past or to come, that matches. */
  event<T extends ThreadEvent['type']>(
    type: T,
    where?: (event: ThreadEventOf<T>) => boolean,
  ): Promise<ThreadEventOf<T>>;
  /** `path:line status` of each hunk; the line is 1-based, in the text as the user has it now. */
  review(threadId: string): Promise<string[]>;
  /** The same state folder in another process. */
  restart(): Promise<void>;
};

export const diskFace: Face = { documents: noDocuments, profile: { mode: 'disk' }, applyEdits: async () => new Map() };

export async function openBench(options: {
  files: Files;
  script: Script | readonly Script[];
  git?: boolean;
  documents?: OpenDocuments;
  settings?: (settings: Settings) => Settings;
  environment?: Record<string, string>;
}): Promise<Bench> {
  const workspace = await makeWorkspace(options.files, { git: options.git });
  const model = await startModel(...[options.script].flat());
  const events: EventEnvelope[] = [];
  const waiting = new Set<() => void>();
  const watch = (tasks: Tasks) =>
    tasks.subscribe((envelope) => {
      events.push(envelope);
      for (const look of waiting) look();
    });
  let tasks = await openTasks({ stateDir: workspace.stateDir });
  watch(tasks);

  const settings = (options.settings ?? ((same) => same))(structuredClone(defaultSettings));
  const environment = { OPENAI_API_KEY: 'sk-test-secret', OPENAI_BASE_URL: model.baseURL, ...options.environment };
  const documents = options.documents ?? noDocuments;
  const bench: Bench = {
    workspace,
    model,
    settings,
    get tasks() {
      return tasks;
    },
    events,
    start: (prompt, more = {}) =>
      tasks.start({
        root: workspace.root,
        prompt,
        mode: 'task',
        attachments: [],
        seeds: [],
        settings,
        environment,
        documents,
        ...more,
      }),
    async run(prompt, more) {
      const { threadId, turnId } = await bench.start(prompt, more);
      const end = await found(events, waiting, (envelope) =>
        envelope.turnId === turnId && envelope.event.type === 'turnCompleted' ? envelope.event : undefined,
      );
      return { threadId, end };
    },
    event: (type, where = () => true) =>
      found(events, waiting, ({ event }) => (isOf(event, type) && where(event) ? event : undefined)),
    async review(threadId) {
      const { files } = await tasks.review(threadId, documents);
      return files.flatMap(({ path, hunks }) => hunks.map(({ line, status }) => `${path}:${line + 1} ${status}`));
    },
    async restart() {
      await tasks.close();
      tasks = await openTasks({ stateDir: workspace.stateDir });
      watch(tasks);
    },
    async [Symbol.asyncDispose]() {
      await tasks.close();
      await model.close();
      await workspace[Symbol.asyncDispose]();
      model.assertUsedUp();
      assertNumbered(events);
    },
  };
  return bench;
}

function isOf<T extends ThreadEvent['type']>(event: ThreadEvent, type: T): event is ThreadEventOf<T> {
  return event.type === type;
}

function found<T>(
  events: readonly EventEnvelope[],
  waiting: Set<() => void>,
  pick: (envelope: EventEnvelope) => T | undefined,
): Promise<T> {
  return new Promise((resolve) => {
    let at = 0;
    const look = () => {
      for (; at < events.length; at += 1) {
        const envelope = events[at];
        const picked = envelope && pick(envelope);
        if (picked === undefined) continue;
        waiting.delete(look);
        resolve(picked);
        return;
      }
    };
    waiting.add(look);
    look();
  });
}

/** `seq` counts up from 1 without a gap in each thread; one that was forked begins after its history. */
function assertNumbered(events: readonly EventEnvelope[]): void {
  const last = new Map<string, number>();
  for (const { threadId, seq, event } of events) {
    if (event.type === 'itemDelta') continue;
    const expected = event.type === 'forked' && !last.has(threadId) ? seq : (last.get(threadId) ?? 0) + 1;
    if (seq !== expected)
      throw new Error(`thread ${threadId}: event ${event.type} has seq ${seq}, expected ${expected}`);
    last.set(threadId, seq ?? 0);
  }
}
