/** argv → one subcommand. */
import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Shell } from './cli/attach.ts';
import { subcommands } from './cli/commands.ts';
import { stateDirOf } from './cli/places.ts';
import { failed } from './cli/subcommand.ts';
import { UsageError } from './cli/usage-error.ts';

/** Set by the bundler. */
declare const CODEX_LSP_VERSION: string | undefined;
export const version = typeof CODEX_LSP_VERSION === 'string' ? CODEX_LSP_VERSION : '0.0.0';

const usageChars = Math.max(...Object.values(subcommands).map(({ usage }) => usage.length));

const help = `codex-lsp ${version}: a sandboxed coding agent for every editor, as a language server.

codex-lsp --stdio             serve an editor on stdin and stdout (also with no argument, where stdin is no terminal)
codex-lsp --pipe=PATH         the same over a socket that the editor has opened
codex-lsp host [--start]      holds the threads of a user, for every editor; started by the first one. --start: in the background,
                              and says which socket and token an editor that connects by itself needs
${Object.values(subcommands)
  .map(({ usage, doc }) => `codex-lsp ${usage.padEnd(usageChars)} ${doc}`)
  .join('\n')}
codex-lsp --version, --help

Every form takes -c key=value, repeatable: a setting by its path, as in -c model=gpt-5.4 or -c limits.steps=50.
`;

/** Sets the exit code; ends the process where something would keep it alive. */
export async function main(argv: readonly string[]): Promise<void> {
  const stopping = new AbortController();
  let signalled = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (signalled > 0) process.exit(128 + constants.signals[name]);
      signalled = constants.signals[name];
      stopping.abort();
    });
  }
  // Who reads the output may have gone, as `head` does: then there is nobody left to work for.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort());
  const code = await dispatch(argv, stopping.signal).catch((error: unknown) => failed(error, process.stderr));
  process.exitCode = code;
  // Output to a pipe may still be on its way: leave when it is written.
  if (!process.stdout.destroyed) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

async function dispatch(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const { flags, rest } = takeSettingFlags(argv);
  const [first, ...args] = rest;
  if (first === '--version' || first === '-v') return say(`${version}\n`);
  if (first === '--help' || first === '-h' || first === 'help') return say(help);
  if (first === undefined && process.stdin.isTTY) return say(help);
  const shell: Shell = {
    environment: process.env,
    flags,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal,
    version,
    build: (await stat(import.meta.filename)).mtimeMs.toString(36),
    program: process.argv[1],
  };
  if (first === undefined || ['--stdio', '--no-host'].includes(first) || first.startsWith('--pipe')) {
    return (await import('./cli/attach.ts')).attach(rest, shell);
  }
  if (first === 'host') return (await import('./cli/host.ts')).host(args, shell);
  const subcommand = subcommands[first];
  if (!subcommand || !Object.hasOwn(subcommands, first)) {
    const kind = first.startsWith('-') ? 'flag' : 'command';
    throw new UsageError(`there is no ${kind} '${first}'.`);
  }
  if (args.includes('--help') || args.includes('-h')) {
    return say(`codex-lsp ${subcommand.usage}\n${subcommand.doc}\n${(await subcommand.help?.()) ?? ''}`);
  }
  const there = subcommand.isThroughHost
    ? await (await import('./cli/through-host.ts')).throughHost(rest, shell)
    : undefined;
  if (there !== undefined) return there;
  const { readSettings } = await import('./cli/options.ts');
  const settings = await readSettings(shell.environment, flags);
  const { runSubcommand } = await import('./cli/subcommand.ts');
  return runSubcommand(subcommand, args, { ...settings, ...shell, stateDir: stateDirOf(shell.environment) });
}

/** `-c key=value` may stand anywhere before a `--`. */
function takeSettingFlags(argv: readonly string[]): { flags: string[]; rest: string[] } {
  const flags: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (argument === '--') return { flags, rest: [...rest, ...argv.slice(at)] };
    if (argument === '-c' || argument === '--config') {
      const value = argv[at + 1];
      if (value === undefined) throw new UsageError(`'${argument}' needs key=value after it.`);
      flags.push(value);
      at += 1;
    } else if (/^(-c|--config)=/.test(argument)) {
      flags.push(argument.slice(argument.indexOf('=') + 1));
    } else rest.push(argument);
  }
  return { flags, rest };
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
