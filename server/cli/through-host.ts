/** A subcommand that a running host carries out, so that editors see it live. */
import { runThere } from '../host/command-near.ts';
import { connectHost, noHostRuns } from '../host/connect.ts';
import { definedIn, type Shell } from './attach.ts';
import { stateDirOf } from './places.ts';

/** The exit code; undefined where no host runs, and it is to be done here. */
export async function throughHost(args: readonly string[], shell: Shell): Promise<number | undefined> {
  const { environment, flags, cwd, stdin, stdout, stderr, version } = shell;
  const stateDir = stateDirOf(environment);
  const terminal = { stdin: stdin.isTTY === true, stdout: stdout.isTTY === true, stderr: stderr.isTTY === true };
  const introduction = {
    kind: 'command' as const,
    build: shell.build,
    environment: definedIn(environment),
    flags: [...flags],
    args: [...args],
    cwd,
    terminal,
  };
  const connected = await connectHost({ stateDir, version, introduction });
  if ('none' in connected) {
    // Editors would not see it live, and nobody would know why.
    if (connected.none !== noHostRuns) stderr.write(`codex-lsp: done here, without the host: ${connected.none}\n`);
    return undefined;
  }
  if ('refused' in connected) {
    stderr.write(`codex-lsp: ${connected.refused}\n`);
    return connected.exitCode;
  }
  const code = await runThere(connected.socket, shell);
  if (code === undefined) stderr.write('codex-lsp: the host went away before this was done.\n');
  return code ?? 1;
}
