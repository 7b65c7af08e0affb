/** This end of the launcher: what it starts looks like what is started here. */
import { type ChildProcess, fork } from 'node:child_process';
import { type Launched, launch, type Order } from './launch.ts';
import type { Answer, Asked, Told } from './launcher-messages.ts';
import { outputOf, type RunOptions, toolEnvironment } from './process.ts';
import { RemoteChain } from './remote-chain.ts';
import { giveWay } from './weight.ts';

let isWanted = false;
let launcher: Launcher | undefined;

/** For a process that lives long and grows: from the first that it starts on, it has a launcher, if that can be. */
export function useLauncher(): void {
  isWanted = true;
}

/** A chain, by the launcher where there is one. */
export async function launchChain(order: Order): Promise<Launched> {
  return (await ready())?.launch(order) ?? launch(order);
}

/** As `outputOf`, by the launcher where there is one. */
export async function toolOutput(tool: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await ready())?.run(tool, args, options) ?? outputOf(tool, args, options);
}

async function ready(): Promise<Launcher | undefined> {
  if (!isWanted) return undefined;
  launcher ??= new Launcher((hasBegun) => {
    launcher = undefined;
    isWanted &&= hasBegun;
  });
  await launcher.begun;
  return launcher?.isReady ? launcher : undefined;
}

class Launcher {
  isReady = false;
  /** Resolves when it takes orders, or has ended. */
  readonly begun: Promise<void>;
  readonly #child: ChildProcess;
  readonly #hearing = new Map<number, (answer: Answer) => void>();
  #last = 0;

  constructor(gone: (hasBegun: boolean) => void) {
    const name = import.meta.filename.endsWith('.ts') ? './launcher-process.ts' : './launcher-process.js';
    this.#child = fork(new URL(name, import.meta.url), [], {
      cwd: '/',
      env: toolEnvironment,
      execArgv: ['--max-semi-space-size=1'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    let hasBegun = false;
    this.#child.on('message', (told: Told) => {
      if (told !== 'ready') return this.#hearing.get(told.id)?.(told);
      hasBegun = true;
      // It ends with us: nobody waits for it, but for its answers.
      this.#child.unref();
      this.#child.channel?.unref();
      void giveWay(this.#child.pid).then(() => {
        this.isReady = this.#child.connected;
        resolve();
      });
    });
    const end = (): void => {
      this.isReady = false;
      gone(hasBegun);
      resolve();
      for (const [id, hear] of this.#hearing) for (const answer of lastAnswers(id)) hear(answer);
    };
    this.#child.once('exit', end).once('error', end);
  }

  launch({ output, ...order }: Order): Promise<Launched> {
    const id = ++this.#last;
    const chain = new RemoteChain(id, (asked) => {
      if (asked.what === 'forget') this.#hear(id, undefined);
      this.#ask(asked);
    });
    this.#hear(id, (answer) => chain.hear(answer));
    this.#ask({ id, what: 'start', output: `/proc/${process.pid}/fd/${output}`, ...order });
    return chain.started;
  }

  run(tool: string, args: readonly string[], { signal, bytesMax }: RunOptions): Promise<string> {
    const id = ++this.#last;
    const stop = (): void => this.#ask({ id, what: 'forget' });
    return new Promise((resolve) => {
      this.#hear(id, (answer) => {
        if (answer.what !== 'output') return;
        this.#hear(id, undefined);
        signal?.removeEventListener('abort', stop);
        resolve(answer.text);
      });
      this.#ask({ id, what: 'run', tool, args, bytesMax });
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  #hear(id: number, hear: ((answer: Answer) => void) | undefined): void {
    if (hear) this.#hearing.set(id, hear);
    else this.#hearing.delete(id);
    if (this.#hearing.size > 0) this.#child.channel?.ref();
    else this.#child.channel?.unref();
  }

  #ask(asked: Asked): void {
    // Where it is gone, all have been told so, or will be.
    if (this.#child.connected) this.#child.send(asked, () => {});
  }
}

/** Of a launcher that has ended. */
const lastAnswers = (id: number): Answer[] => [
  { id, what: 'started' },
  { id, what: 'exit', outcome: 'what starts the commands has ended' },
  { id, what: 'end', pipe: 'status' },
  { id, what: 'end', pipe: 'lifeline' },
  { id, what: 'output', text: '' },
];
