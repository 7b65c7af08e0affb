/** `shell`: one command in the sandbox, on the thread's copy. There is no way to ask for a run outside of it. */
import { isAbsolute, posix } from 'node:path';
import * as z from 'zod';
import { parseAskedHost } from '../../policy/host-patterns.ts';
import type { ItemOf } from '../../protocol/thread.ts';
import type { Permission } from '../workbench.ts';
import { accessAdvice } from './access-advice.ts';
import { commandReport } from './command-report.ts';
import { itemOutput, shownBytesMax } from './item-output.ts';
import { failedCall, parseArguments, type Tool, type ToolContext } from './tool.ts';
import { resolveWorkdir } from './workdir.ts';

const timeoutMsDefault = 120_000;

/** Named in a command's item. */
const refusedHostsMax = 100;

const reason = z.string().min(1);
/** Absent and null are the same: some models fill in every parameter. */
export const argumentsSchema = z.strictObject({
  command: z.string().min(1),
  workdir: z.string().nullish(),
  timeoutMs: z.number().int().positive().nullish(),
  network: z.strictObject({ hosts: z.array(z.string().transform(hostPattern)).min(1), reason }).nullish(),
  read: z
    .strictObject({
      paths: z.array(z.string().refine(isPlainPath, 'must be an absolute path').transform(normalPath)).min(1),
      reason,
    })
    .nullish(),
});
/** What is asked for is what is shown: hosts and paths have one form each. */
function hostPattern(text: string, context: z.core.$RefinementCtx): string {
  const parsed = parseAskedHost(text);
  if ('pattern' in parsed) return parsed.pattern;
  context.addIssue({ code: 'custom', message: parsed.problem, input: text });
  return z.NEVER;
}

function isPlainPath(path: string): boolean {
  return isAbsolute(path) && !path.includes('\0');
}

function normalPath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/+$/, '');
}

type Arguments = z.infer<typeof argumentsSchema>;

const reasonSchema = { type: 'string', description: 'One sentence for the user: what it is needed for.' };

export const shell: Tool = {
  name: 'shell',
  definition: () => ({
    type: 'function',
    name: 'shell',
    description:
      'Runs a command with bash in the sandbox, in your copy of the workspace, and answers its exit code and output (stdout and stderr; long output keeps its head and tail). Without a terminal and without input. Processes that are still there when the command ends are killed. Nothing outside of the workspace can be written, and only the system, the workspace and what the user has opened can be read. The network is as <environment_context> says: off, open to a list of hosts through a proxy (HTTP_PROXY and its like are set), or full.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        command: { type: 'string', description: 'Given to /bin/bash -c.' },
        workdir: { type: 'string', description: 'Folder inside the workspace; default: the workspace itself.' },
        timeoutMs: {
          type: 'integer',
          description: `Milliseconds after which the command is killed. Default ${timeoutMsDefault}; the user's setting is the upper limit.`,
        },
        network: {
          type: 'object',
          description:
            'Asks the user to open the network to these hosts for this command; not needed for those that are open.',
          properties: {
            hosts: {
              type: 'array',
              items: { type: 'string' },
              description: 'Plain names such as example.com, or *.example.com for all hosts below it.',
            },
            reason: reasonSchema,
          },
          required: ['hosts', 'reason'],
          additionalProperties: false,
        },
        read: {
          type: 'object',
          description: 'Asks the user to let this command read these absolute paths outside of the workspace.',
          properties: { paths: { type: 'array', items: { type: 'string' } }, reason: reasonSchema },
          required: ['paths', 'reason'],
          additionalProperties: false,
        },
      },
      required: ['command'],
      additionalProperties: false,
    },
  }),

  async run(call, context) {
    const parsed = parseArguments(call, argumentsSchema);
    if (!parsed.ok) return failedCall(call, parsed.problem, context);
    const { command, workdir, timeoutMs: asked, read, network } = parsed.value;
    const cwd = resolveWorkdir(workdir, context.root, context.folders);
    if (!cwd.ok) return failedCall(call, cwd.problem, context);
    if (/^\s*apply_patch\b/.test(command))
      return failedCall(
        call,
        'apply_patch is a tool of its own and no command: call the tool with the patch.',
        context,
      );

    const item = {
      id: context.newId(),
      type: 'command' as const,
      command,
      cwd: cwd.value,
      reason: network?.reason ?? read?.reason,
    };
    const permission = await permitAll(parsed.value, cwd.value, context);
    if (!permission.allowed) {
      context.emit({ type: 'itemCompleted', item: { ...item, status: 'declined', output: permission.reason } });
      return { output: `The command was not run: ${permission.reason}`, stopTurn: permission.stopTurn };
    }
    context.signal.throwIfAborted();

    const opened = { hosts: network?.hosts ?? [], paths: read?.paths ?? [] };
    const timeoutMs = Math.min(asked ?? timeoutMsDefault, context.limits.commandSeconds * 1000);
    context.emit({ type: 'itemStarted', item: { ...item, status: 'running' } });
    const result = await context.workbench.runCommand({
      command,
      cwd: cwd.value,
      timeoutMs,
      opened,
      shownBytes: shownBytesMax(context.limits),
      onOutput: (delta) => context.emit({ type: 'itemDelta', itemId: item.id, delta }),
      signal: context.signal,
    });
    const ended: ItemOf<'command'> =
      result.kind === 'unavailable'
        ? { ...item, status: 'failed', output: `${result.reason} ${result.remedy}` }
        : {
            ...item,
            status: result.status,
            exitCode: result.exitCode,
            output: itemOutput(result.output, context.limits),
            outputFile: result.outputFile,
            durationMs: result.durationMs,
            limit: result.limit,
            refusedHosts: result.refusedHosts?.length ? result.refusedHosts.slice(0, refusedHostsMax) : undefined,
          };
    context.emit({ type: 'itemCompleted', item: ended });
    const advice =
      result.kind === 'ran'
        ? accessAdvice({
            output: result.output,
            refusedHosts: result.refusedHosts ?? [],
            access: context.workbench.access(),
            opened,
            root: context.root,
            folders: context.folders,
          })
        : undefined;
    return { output: commandReport(result, { limits: context.limits, timeoutMs, advice }) };
  },
};

/** Everything the command asks for, one after the other; the first no is the answer. */
async function permitAll(
  { command, network, read }: Arguments,
  cwd: string,
  context: ToolContext,
): Promise<Permission> {
  const actions = [
    ...(network ? [{ kind: 'network' as const, ...network, command }] : []),
    ...(read ? [{ kind: 'read' as const, ...read, command }] : []),
    { kind: 'command' as const, command, cwd },
  ];
  for (const action of actions) {
    const permission = await context.workbench.permit(action);
    if (!permission.allowed) return permission;
  }
  return { allowed: true };
}
