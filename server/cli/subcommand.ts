/** Runs one subcommand, here or in the host: help, warnings of its settings, and errors as one sentence. */
import { stateFault } from '../task/state-fault.ts';
import type { Subcommand } from './commands.ts';
import type { CliOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

export async function runSubcommand(
  subcommand: Subcommand,
  args: readonly string[],
  options: CliOptions,
): Promise<number> {
  for (const { message } of options.problems) options.stderr.write(`codex-lsp: ${message}\n`);
  return subcommand
    .run(args, options)
    .catch((error: unknown) => failed(stateFault(error, options.stateDir), options.stderr));
}

/** Says what went wrong; answers the exit code. */
export function failed(error: unknown, stderr: { write(text: string): unknown }): number {
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = error instanceof UsageError;
  stderr.write(isUsage ? `codex-lsp: ${message}\nTry 'codex-lsp --help'.\n` : `codex-lsp: ${message}\n`);
  return isUsage ? 2 : 1;
}
