/** A turn's events as lines for a person at a terminal. */
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { EventEnvelope, Item, ThreadEvent } from '../protocol/thread.ts';

export type Paint = { bold: Style; dim: Style; red: Style; green: Style; cyan: Style; yellow: Style };
type Style = (text: string) => string;

export function paint(color: boolean): Paint {
  const style = (code: number): Style => (color ? (text) => `\x1b[${code}m${text}\x1b[0m` : (text) => text);
  return { bold: style(1), dim: style(2), red: style(31), green: style(32), yellow: style(33), cyan: style(36) };
}

/** Colour where the stream is a terminal and nobody asked for none (https://no-color.org). */
export const wantsColor = (stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean =>
  Boolean(environment.FORCE_COLOR) || (Boolean(stream.isTTY) && !environment.NO_COLOR && environment.TERM !== 'dumb');

/**
 * What comes from the model or a command is shown, never obeyed: no control sequence of it reaches the terminal, and
 * what would hide text or turn it round is seen.
 */
export const printable = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/(?![\n\t])\p{Cc}/gu, '')
    .replace(/[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '\ufffd');

export function colorDiff(diff: string, color = true): string {
  const { bold, red, green, cyan } = paint(color);
  const line = (text: string): string => {
    if (/^(diff --git|---|\+\+\+|new file|deleted file|old mode|new mode|rename|similarity)/.test(text))
      return bold(text);
    if (text.startsWith('@@')) return cyan(text);
    if (text.startsWith('+')) return green(text);
    if (text.startsWith('-')) return red(text);
    return text;
  };
  return diff
    .split('\n')
    .map((text) => line(printable(text)))
    .join('\n');
}

/** Lines of a command's output that are shown. */
const outputLinesMax = 20;

export function progressPrinter(
  out: NodeJS.WritableStream,
  options: { color: boolean },
): (envelope: EventEnvelope) => void {
  const style = paint(options.color);
  const print = (text: string) => void out.write(`${text}\n`);
  return ({ event }) => {
    for (const line of linesOf(event, style)) print(line);
  };
}

/** Prints what the agent says when it goes on after that: what it says last is the turn's result, printed elsewhere. */
export function withoutFinalMessage(print: (envelope: EventEnvelope) => void): (envelope: EventEnvelope) => void {
  let held: { envelope: EventEnvelope; text: string } | undefined;
  return (envelope) => {
    const { event } = envelope;
    const isFinal = event.type === 'turnCompleted' && event.summary?.trim().endsWith(held?.text.trim() ?? '');
    const goesOn = ['itemStarted', 'itemCompleted', 'approvalRequested', 'turnCompleted'].includes(event.type);
    if (held && goesOn) {
      if (!isFinal) print(held.envelope);
      held = undefined;
    }
    if (event.type === 'itemCompleted' && event.item.type === 'agentMessage')
      held = { envelope, text: event.item.text };
    else print(envelope);
  };
}

/** Never left unsaid. */
export const noSandbox = ({ unsandboxed }: { unsandboxed?: boolean }): string => (unsandboxed ? '[no sandbox] ' : '');

function linesOf(event: ThreadEvent, style: Paint): string[] {
  switch (event.type) {
    case 'turnStarted':
      return [
        `${style.dim('task')}  ${style.bold(printable(event.prompt))}`,
        `${style.dim('model')} ${event.model}`,
        ...(event.unsandboxed ? [style.red('NO SANDBOX: sandbox.dangerouslyUnsandboxed is on')] : []),
      ];
    case 'itemStarted':
      return event.item.type === 'command' ? [`${style.cyan('$')} ${printable(event.item.command)}`] : [];
    case 'itemCompleted':
      return itemLines(event.item, style);
    case 'approvalRequested':
      return event.approval.kind === 'changes'
        ? []
        : [style.yellow(`? ${noSandbox(event.approval)}${printable(event.approval.title)}`)];
    case 'warning':
      return [style.yellow(`! ${printable(event.message)}`)];
    case 'turnCompleted':
      if (event.status === 'completed') return [];
      return [
        style.red(
          event.status === 'failed'
            ? `failed (${event.error?.reason}): ${printable(event.error?.message ?? '')}`
            : 'interrupted',
        ),
      ];
    default:
      return [];
  }
}

function itemLines(item: Item, style: Paint): string[] {
  switch (item.type) {
    case 'reasoning':
      return [style.dim(printable(item.text))];
    case 'agentMessage':
      return [printable(item.text)];
    case 'plan':
      return item.steps.map(({ step, status }) => `${mark(status, style)} ${printable(step)}`);
    case 'patch': {
      const what = item.files.map(({ path, kind }) => `${kind} ${printable(path)}`).join(', ');
      return item.status === 'completed'
        ? [`${style.green('✎')} ${what}`]
        : [`${style.red('✎')} patch ${item.status}: ${printable(item.error ?? '')}`];
    }
    case 'command': {
      const output = printable(item.output ?? '').trimEnd();
      const lines = output === '' ? [] : output.split('\n');
      const shown = lines.length > outputLinesMax ? ['…', ...lines.slice(-outputLinesMax)] : lines;
      const whole = item.outputFile === undefined ? [] : [style.dim(`  all of it: ${fileURLToPath(item.outputFile)}`)];
      const refused = item.refusedHosts?.length
        ? [style.yellow(`  ! closed to it: ${printable(item.refusedHosts.join(', '))}`)]
        : [];
      return [...shown.map((line) => style.dim(`  ${line}`)), ...whole, ...refused, `  ${outcome(item, style)}`];
    }
    case 'tool':
      return [`${style.cyan(item.name)} ${item.status}`];
    case 'userMessage':
      return [];
  }
}

function mark(status: 'pending' | 'inProgress' | 'completed', style: Paint): string {
  if (status === 'completed') return style.green('✔');
  return status === 'inProgress' ? style.cyan('▸') : style.dim('·');
}

function outcome(item: Extract<Item, { type: 'command' }>, style: Paint): string {
  const seconds = item.durationMs === undefined ? '' : ` ${style.dim(`${(item.durationMs / 1000).toFixed(1)} s`)}`;
  const cut =
    item.limit === undefined ? '' : item.limit === 'output' ? ', output cut' : `, ${item.limit} limit reached`;
  if (item.status === 'completed') return `${style.green(`✔ exit 0${cut}`)}${seconds}`;
  if (item.status === 'killed')
    return `${style.red(`✘ stopped${item.limit ? `: ${item.limit} limit` : ''}`)}${seconds}`;
  if (item.status === 'declined') return style.yellow('✘ not run');
  return `${style.red(`✘ exit ${item.exitCode ?? '?'}${cut}`)}${seconds}`;
}
