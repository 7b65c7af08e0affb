/** `apply_patch`: edits files of the copy, all or nothing; a freeform tool with a grammar, or a function where that is not to be had. */
import * as z from 'zod';
import { patchGrammar } from '../../changeset/patch-grammar.ts';
import type { FileKind } from '../../protocol/changeset.ts';
import type { Item } from '../../protocol/thread.ts';
import type { Call } from '../repair.ts';
import { failedCall, type Parsed, parseArguments, type Tool, type ToolContext } from './tool.ts';

const description = `Edits files in the workspace, all or nothing: if one hunk does not fit, no file is changed and you are told where and why.

*** Begin Patch
*** Add File: path/new.txt
+every line of the new file
*** Update File: path/file.txt
*** Move to: path/renamed.txt
@@ function that_encloses_the_change()
 a line of context, as it is in the file
-a line to take away
+a line to put in its place
*** Delete File: path/old.txt
*** End Patch

Paths are relative to the workspace. "Move to" is optional. Give three lines of context above and below a change, fewer if they would overlap with the next one; where that is not unique, name the enclosing function or class after @@, several @@ lines from the outer to the inner if need be. "*** End of File" after a hunk ties it to the end. Add and Move refuse to overwrite a file that exists.`;

const argumentsSchema = z.strictObject({ patch: z.string().min(1) });

export const applyPatch: Tool = {
  name: 'apply_patch',
  definition: (freeform) =>
    freeform
      ? {
          type: 'custom',
          name: 'apply_patch',
          description: `${description}\n\nThis is a freeform tool: send the patch itself, not JSON.`,
          format: { type: 'grammar', syntax: 'lark', definition: patchGrammar },
        }
      : {
          type: 'function',
          name: 'apply_patch',
          description,
          strict: false,
          parameters: {
            type: 'object',
            properties: { patch: { type: 'string', description: 'From *** Begin Patch to *** End Patch.' } },
            required: ['patch'],
            additionalProperties: false,
          },
        },

  async run(call, context) {
    const text = patchOf(call);
    if (!text.ok) return failedCall(call, text.problem, context);
    const permission = await context.workbench.permit({ kind: 'patch' });
    if (!permission.allowed) {
      show(context, { files: [], status: 'declined', error: permission.reason });
      return { output: `Not applied: ${permission.reason}`, stopTurn: permission.stopTurn };
    }
    const result = await context.workbench.applyPatch(text.value);
    if (!result.ok) {
      show(context, { files: [], status: 'failed', error: result.error });
      return { output: `The patch failed and nothing was changed: ${result.error}` };
    }
    show(context, { files: result.files, status: 'completed' });
    const lines = result.files.map(({ path, kind }) => `${letters[kind]} ${path}`);
    return { output: ['Success. Updated the following files:', ...lines].join('\n') };
  },
};

/** Either form is understood, whichever was offered. */
function patchOf(call: Call): Parsed<string> {
  if (call.type === 'custom_tool_call') return { ok: true, value: call.input ?? '' };
  const parsed = parseArguments(call, argumentsSchema);
  return parsed.ok ? { ok: true, value: parsed.value.patch } : parsed;
}

const letters: Record<FileKind, string> = { create: 'A', modify: 'M', delete: 'D', rename: 'R' };

function show(context: ToolContext, patch: Pick<Extract<Item, { type: 'patch' }>, 'files' | 'status' | 'error'>): void {
  context.emit({ type: 'itemCompleted', item: { id: context.newId(), type: 'patch', ...patch } });
}
