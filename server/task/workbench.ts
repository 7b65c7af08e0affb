/** What the agent's tools do to the thread's copy: commands in the sandbox, patches, and leave to do either. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workbench } from '../agent/workbench.ts';
import type { FileState } from '../changeset/file-state.ts';
import { applyPatch, pathsOfPatch } from '../changeset/patch-apply.ts';
import { parsePatch } from '../changeset/patch-parse.ts';
import { type Action, assess, type Policy } from '../policy/assess.ts';
import { runInSandbox } from '../sandbox/run.ts';
import type { SandboxPolicy } from '../sandbox/types.ts';
import type { Copy } from '../workspace/copy.ts';
import type { Approvals, Question } from './approvals.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { textsUnder } from './review.ts';

/** Bytes of a command's output that are kept at all: a token is about four, and the events show a little more. */
const outputBytesPerToken = 4;
/** Of one scan, told as warnings: what could not be looked at. */
const problemsMax = 20;

export function openWorkbench(options: {
  record: ThreadRecord;
  copy: Copy;
  request: TaskRequest;
  turnId: string;
  approvals: Approvals;
  signal: AbortSignal;
}): Workbench {
  const { record, copy, request, turnId, approvals, signal } = options;
  const { settings } = request;
  const texts = () => textsUnder(request.documents, request.root);
  const told = new Set<string>();
  const scan = async (options: Parameters<Copy['scan']>[0]) => {
    const { problems } = await copy.scan(options);
    for (const message of problems.slice(0, problemsMax)) {
      if (told.has(message)) continue;
      told.add(message);
      record.emit({ type: 'warning', message }, turnId);
    }
  };
  return {
    async runCommand({ command, cwd, timeoutMs, readPaths, onOutput, signal }) {
      await copy.refresh(texts());
      const startedAtMs = Date.now();
      let scanned = false;
      const result = await runInSandbox({
        layers: copy.layers,
        policy: sandboxPolicy(request, readPaths),
        environment: request.environment,
        command,
        cwd: join(request.root, cwd),
        timeoutMs,
        outputBytesMax: settings.limits.outputTokens * outputBytesPerToken,
        signal,
        onOutput,
        inspect: async (merged) => {
          await scan({ startedAtMs, merged });
          scanned = true;
        },
      });
      if (!scanned && result.kind === 'ran') await scan({ startedAtMs });
      return result;
    },

    async applyPatch(text) {
      const parsed = parsePatch(text);
      if (!parsed.ok) return parsed;
      await copy.refresh(texts());
      // The pure part asks for texts synchronously, so those it may ask for are read before.
      const states = new Map<string, FileState>();
      for (const path of pathsOfPatch(parsed.sections)) states.set(path, await copy.read(path));
      const patched = applyPatch(parsed.sections, (path) => states.get(path) ?? { kind: 'absent' });
      if (!patched.ok) return patched;
      try {
        await copy.write(patched.writes);
      } catch (error) {
        return { ok: false, error: `Nothing was changed: ${error instanceof Error ? error.message : String(error)}` };
      }
      return { ok: true, files: patched.files };
    },

    async permit(action) {
      const hidden = action.kind === 'read' ? await notAsWritten(action.paths) : undefined;
      if (hidden) return { allowed: false, reason: hidden };
      const assessment = assess(action, policyOf(request));
      if (assessment.decision === 'allow' || isGranted(record, action)) return { allowed: true };
      if (assessment.decision === 'deny') return { allowed: false, reason: assessment.reason };
      const decision = await approvals.ask(record, questionOf(action, assessment.title, turnId), signal);
      switch (decision) {
        case 'accept':
        case 'acceptForThread':
          return { allowed: true };
        case 'decline':
          return {
            allowed: false,
            reason: 'The user declined this. Do not try it another way; go on without it, or say what you need.',
          };
        case 'cancel':
        case 'withdrawn':
          return { allowed: false, reason: 'The user declined this and stopped the turn.', stopTurn: true };
      }
    },
  };
}

/** What is asked for is what is opened: a path that leads elsewhere must be asked for by its own name. */
async function notAsWritten(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return `There is nothing to read at ${path}.`;
    if (real !== path) return `${path} leads to ${real}; ask for that path by its own name.`;
  }
  return undefined;
}

function policyOf({ settings, mode }: TaskRequest): Policy {
  const { approvalPolicy, sandbox } = settings;
  return {
    approvalPolicy,
    mode: sandbox.mode,
    network: sandbox.network === 'full' ? 'full' : 'off',
    turnMode: mode,
  };
}

function sandboxPolicy({ settings, mode }: TaskRequest, readPaths: readonly string[]): SandboxPolicy {
  const { sandbox } = settings;
  return {
    mode: mode === 'ask' ? 'readOnly' : sandbox.mode,
    network: sandbox.network === 'full' ? 'full' : 'off',
    readableRoots: [...sandbox.readableRoots, ...readPaths],
    sockets: sandbox.sockets,
    env: sandbox.env,
    processesMax: sandbox.processes,
    memoryBytesMax: sandbox.memoryMiB * 1024 * 1024,
    diskBytesMax: sandbox.diskMiB * 1024 * 1024,
  };
}

function questionOf(action: Action, title: string, turnId: string): Question {
  switch (action.kind) {
    case 'command':
      return { turnId, kind: 'command', title, command: action.command, cwd: action.cwd };
    case 'network':
      return {
        turnId,
        kind: 'network',
        title,
        command: action.command,
        hosts: [...action.hosts],
        reason: action.reason,
      };
    case 'read':
      return { turnId, kind: 'read', title, command: action.command, paths: [...action.paths], reason: action.reason };
    case 'patch':
      return { turnId, kind: 'changes', title };
  }
}

/** An answer for the thread covers exactly what was shown: that command in that folder, those paths. */
function isGranted(record: ThreadRecord, action: Action): boolean {
  return record.state.grants.some((grant) => {
    if (action.kind === 'command') {
      return grant.kind === 'command' && grant.command === action.command && grant.cwd === action.cwd;
    }
    if (action.kind === 'read')
      return grant.kind === 'read' && action.paths.every((path) => grant.paths?.includes(path));
    return false;
  });
}
