/**
 * The launcher, a program of its own: a small process that starts others for a large one. A process is forked as a whole,
 * which takes the only thread of a host of 300 MiB 15 ms; for this one it is less than two. What it starts gives way to
 * the editor and the host, as it does. It ends with whoever has started it, and all chains with it, for it holds their
 * lifelines.
 */
import { closeSync, openSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type Launched, launch } from './launch.ts';
import type { Asked, Told } from './launcher-messages.ts';
import { outputOf } from './process.ts';

const pipes = ['status', 'lifeline'] as const;
const chains = new Map<number, Launched>();
const tools = new Map<number, AbortController>();

function tell(told: Told): void {
  if (process.connected) process.send?.(told);
}

function start({ id, output, ...order }: Extract<Asked, { what: 'start' }>): void {
  const chain = launched(order, output);
  if (typeof chain === 'string') {
    tell({ id, what: 'started' });
    tell({ id, what: 'exit', outcome: chain });
    for (const pipe of pipes) tell({ id, what: 'end', pipe });
    return;
  }
  chains.set(id, chain);
  tell({ id, what: 'started', pid: chain.pid });
  chain.status.on('data', (chunk: Buffer) => tell({ id, what: 'status', chunk }));
  chain.lifeline.resume();
  for (const pipe of pipes) {
    for (const name of ['end', 'close']) chain[pipe].once(name, () => tell({ id, what: 'end', pipe }));
  }
  void chain.exit.then((outcome) => tell({ id, what: 'exit', outcome }));
}

/** A sentence where it could not be. */
function launched(order: Omit<Parameters<typeof launch>[0], 'output'>, path: string): Launched | string {
  try {
    const output = openSync(path, 'w');
    try {
      return launch({ ...order, output });
    } finally {
      closeSync(output);
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function run({ id, tool, args, bytesMax }: Extract<Asked, { what: 'run' }>): void {
  const stopping = new AbortController();
  tools.set(id, stopping);
  void outputOf(tool, args, { signal: stopping.signal, bytesMax }).then((text) => {
    tools.delete(id);
    tell({ id, what: 'output', text });
  });
}

function forget(id: number): void {
  tools.get(id)?.abort();
  const chain = chains.get(id);
  chain?.lifeline.destroy();
  chain?.status.destroy();
  chains.delete(id);
}

process.on('message', (asked: Asked) => {
  switch (asked.what) {
    case 'start':
      return start(asked);
    case 'run':
      return run(asked);
    case 'letOn':
      return void chains.get(asked.id)?.lifeline.write(asked.chunk);
    case 'endLifeline':
      return void chains.get(asked.id)?.lifeline.end();
    case 'forget':
      return forget(asked.id);
  }
});
process.once('disconnect', () => process.exit(0));
// A terminal's signal is for the host, which ends its commands by itself.
for (const name of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(name, () => {});
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
tell('ready');
