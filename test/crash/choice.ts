/** Who is killed, and when: by a seed, so that a round can be played again. */
import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attached } from './attached.ts';
import { type StepName, steps } from './steps.ts';

/** `server`: an editor served in its own process; `host`: what serves it; `editor`: the process that relays it to the host. */
export const victims = ['server', 'host', 'editor'] as const;
export type Victim = (typeof victims)[number];

/** `event`: as the n-th is heard; `change`: as the n-th file of the user's changes; `step`: as it is asked for; `ms`: since the first step. */
export type Moment =
  | { event: number; afterMs: number }
  | { step: StepName; afterMs: number }
  | { change: number }
  | { ms: number };
/** Of a story that nobody interrupts. */
export type Length = { ms: number; events: number; changes: number };

/** mulberry32. */
export function numbersOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function choose(seed: number, length: Length): { victim: Victim; moment: Moment } {
  const next = numbersOf(seed);
  const upTo = (max: number): number => 1 + Math.floor(next() * max);
  const victim = victims[Math.floor(next() * victims.length)] ?? 'server';
  const kind = next();
  if (kind < 0.4) return { victim, moment: { ms: Math.round(next() * length.ms) } };
  if (kind < 0.65) return { victim, moment: { event: upTo(length.events), afterMs: next() < 0.5 ? 0 : upTo(8) } };
  if (kind < 0.85) {
    const step = steps[Math.floor(next() * steps.length)]?.name ?? 'accept';
    return { victim, moment: { step, afterMs: upTo(60) } };
  }
  return { victim, moment: { change: upTo(length.changes) } };
}

export type Clock = { seen: Length; begins(step: StepName): void; stop(): void };

/** Counts, and calls back once when the moment has come. */
export function startClock(editor: Attached, root: string, moment: Moment | undefined, kill: () => void): Clock {
  const began = performance.now();
  const stopped = new AbortController();
  const seen: Length = { ms: 0, events: 0, changes: 0 };
  const inMs = (ms: number): void => void delay(ms, undefined, { signal: stopped.signal }).then(kill, () => {});
  if (moment && 'ms' in moment) inMs(moment.ms);
  editor.client.hears(() => {
    seen.events += 1;
    if (!moment || !('event' in moment) || seen.events !== moment.event) return;
    if (moment.afterMs === 0) kill();
    else inMs(moment.afterMs);
  });
  const watching: FSWatcher = watch(root, { recursive: true }, (_, name) => {
    if (name?.startsWith('.git')) return;
    seen.changes += 1;
    if (moment && 'change' in moment && seen.changes === moment.change) kill();
  });
  return {
    seen,
    begins(step) {
      if (moment && 'step' in moment && moment.step === step) inMs(moment.afterMs);
    },
    stop() {
      seen.ms = performance.now() - began;
      stopped.abort();
      watching.close();
    },
  };
}
