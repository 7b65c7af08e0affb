/** What bounds a turn, and how it stops: one signal, whose first reason wins. */
import type { ToolLimits } from './tools/tool.ts';

export type TurnLimits = ToolLimits & {
  /** Model responses in one turn. */
  steps: number;
  turnMinutes: number;
};

export type StopReason = 'interrupted' | 'timeLimit';

export type Stop = Disposable & {
  signal: AbortSignal;
  /** Set once `signal` has fired. */
  reason: () => StopReason | undefined;
  interrupt: () => void;
};

/** The longest that a timer can be set to. */
const timerMsMax = 2 ** 31 - 1;

/** Fires when the user's signal does, when the minutes are over, or when it is told to. Disposing it stops the clock. */
export function openStop(user: AbortSignal, turnMinutes: number): Stop {
  const controller = new AbortController();
  let first: StopReason | undefined;
  const stop = (reason: StopReason) => {
    first ??= reason;
    controller.abort();
  };
  const interrupt = () => stop('interrupted');
  const timer = setTimeout(() => stop('timeLimit'), Math.min(turnMinutes * 60_000, timerMsMax));
  if (user.aborted) interrupt();
  else user.addEventListener('abort', interrupt, { once: true });
  return {
    signal: controller.signal,
    reason: () => first,
    interrupt,
    [Symbol.dispose]() {
      clearTimeout(timer);
      user.removeEventListener('abort', interrupt);
    },
  };
}
