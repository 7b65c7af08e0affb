/** What the agent's tools do to the thread's copy: commands in the sandbox, patches, and leave to do either. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Workbench } from '../agent/workbench.ts';
import type { FileState } from '../changeset/file-state.ts';
import { applyPatch, pathsOfPatch } from '../changeset/patch-apply.ts';
import { parsePatch } from '../changeset/patch-parse.ts';
import { foldersOf } from '../protocol/folders.ts';
import { foreignOwner } from '../sandbox/owners.ts';
import { TooManySecrets } from '../workspace/secrets.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import type { Approvals } from './approvals.ts';
import { copiedWarning, runOverCopy } from './command-run.ts';
import { OutputFile } from './output-files.ts';
import { permit } from './permission.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { textsUnder } from './review.ts';
import { nextRound } from './rounds.ts';
import { openNetwork, sandboxPolicy } from './sandbox-policy.ts';
import type { Slot } from './slots.ts';
import type { TurnTexts } from './turn-documents.ts';

/** Bytes of a command's output that are kept at all: a token is about four, and the events show a little more. */
const outputBytesPerToken = 4;
/** Of one scan, told as warnings: what could not be looked at. */
const problemsMax = 20;

export function openWorkbench(options: {
  record: ThreadRecord;
  stateDir: string;
  copy: ThreadCopy;
  request: TaskRequest;
  texts: TurnTexts;
  turnId: string;
  approvals: Approvals;
  /** Given up while the user is asked. */
  slot: Slot;
  signal: AbortSignal;
  /** Fires at the latest when the turn has ended. */
  looking: AbortSignal;
}): Workbench {
  const { record, stateDir, copy, request, turnId, looking } = options;
  const { settings } = request;
  const texts = async () => textsUnder(await options.texts(), request.root);
  const told = new Set<string>();
  const report = (problems: readonly string[]) => {
    for (const message of problems.slice(0, problemsMax)) {
      if (told.has(message)) continue;
      told.add(message);
      record.emit({ type: 'warning', message }, turnId);
    }
  };
  const unsandboxed = settings.sandbox.dangerouslyUnsandboxed;
  // The model thinks for a while: by its first command, the owners of the workspace's files are known.
  if (!unsandboxed) for (const folder of foldersOf(request)) void foreignOwner(folder, { signal: looking, waitMs: 0 });
  return {
    async runCommand({ command, cwd, timeoutMs, opened, shownBytes, onOutput, signal }) {
      const refused = await refreshed(copy, await texts());
      if (refused) return { kind: 'unavailable', reason: refused.message, remedy: refused.remedy };
      const whole = new OutputFile(record.folder, shownBytes);
      const result = await runOverCopy({
        copy,
        stateDir,
        unsandboxed,
        policy: sandboxPolicy(request, record.state.grants, opened),
        environment: request.environment,
        command,
        cwd: join(request.root, cwd),
        timeoutMs,
        outputBytesMax: settings.limits.outputTokens * outputBytesPerToken,
        signal,
        onOutput,
        onBytes: (chunk) => whole.add(chunk),
        report,
        onCopied: (reason) => {
          if (record.toldOnce.has(reason)) return;
          record.toldOnce.add(reason);
          report([copiedWarning(reason)]);
        },
      });
      const path = await whole.end().catch((error: unknown) => {
        report([
          `What a command wrote could not be kept whole: ${error instanceof Error ? error.message : String(error)}`,
        ]);
        return undefined;
      });
      return path === undefined ? result : { ...result, outputFile: pathToFileURL(path).href };
    },

    async applyPatch(text) {
      const parsed = parsePatch(text);
      if (!parsed.ok) return parsed;
      const refused = await refreshed(copy, await texts());
      if (refused) return { ok: false, error: `Nothing was changed: ${refused.message} ${refused.remedy}` };
      // The pure part asks for texts synchronously, so those it may ask for are read before.
      const states = new Map<string, FileState>();
      for (const path of pathsOfPatch(parsed.sections)) states.set(path, await copy.read(path));
      await nextRound();
      const patched = applyPatch(parsed.sections, (path) => states.get(path) ?? { kind: 'absent' });
      if (!patched.ok) return patched;
      try {
        await copy.write(patched.writes);
      } catch (error) {
        return { ok: false, error: `Nothing was changed: ${error instanceof Error ? error.message : String(error)}` };
      }
      return { ok: true, files: patched.files };
    },

    permit: (action) => permit(action, options),

    access: () => ({
      approvalPolicy: settings.approvalPolicy,
      network: openNetwork(settings, record.state.grants),
    }),
  };
}

/** Why nothing of the workspace may be shown, if so. */
async function refreshed(copy: ThreadCopy, texts: ReadonlyMap<string, string>): Promise<TooManySecrets | undefined> {
  try {
    await copy.refresh(texts);
    return undefined;
  } catch (error) {
    if (error instanceof TooManySecrets) return error;
    throw error;
  }
}
