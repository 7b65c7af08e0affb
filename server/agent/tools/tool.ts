/** What a tool is: a definition for the model, and a run that answers every call with a text. */
import type * as z from 'zod';
import type { ToolDefinition } from '../../model/model.ts';
import type { Item, ThreadEvent } from '../../protocol/thread.ts';
import type { Call } from '../repair.ts';
import type { Workbench } from '../workbench.ts';

export type ToolLimits = {
  /** The longest a command may run. */
  commandSeconds: number;
  /** Of one command, as the model sees it. */
  outputTokens: number;
};

/** What a call may use. Nothing of it outlives the turn. */
export type ToolContext = {
  workbench: Workbench;
  limits: ToolLimits;
  emit: (event: ThreadEvent) => void;
  newId: () => string;
  signal: AbortSignal;
  /** The workspace's absolute path, which the model may begin a path with. */
  root?: string;
  /** All there is of the workspace, where it has several folders; absolute. */
  folders?: readonly string[];
};

/** What the model is told. `stopTurn`: the user was asked and wants the turn to end. */
export type ToolResult = { output: string; stopTurn?: boolean };

export type Tool = {
  name: string;
  /** Byte-stable: a constant of the build, but for the form. */
  definition: (freeform: boolean) => ToolDefinition;
  /** Must answer invalid arguments with what is wrong; throws only on bugs. */
  run: (call: Call, context: ToolContext) => Promise<ToolResult>;
};

export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

/** The arguments of a function call, or a sentence about each thing that is wrong with them. */
export function parseArguments<S extends z.ZodObject>(call: Call, schema: S): Parsed<z.infer<S>> {
  const names = Object.keys(schema.shape).join(', ');
  if (call.arguments === undefined)
    return { ok: false, problem: `${call.name} is a function tool: call it with a JSON object of ${names}.` };
  let raw: unknown;
  try {
    // Some models send nothing at all where a tool needs nothing.
    raw = JSON.parse(call.arguments || '{}');
  } catch (error) {
    return { ok: false, problem: `The arguments of ${call.name} are not JSON: ${String(error)}` };
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.map((issue) => {
    const at = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      const keys = issue.keys.map((key) => `"${at ? `${at}.` : ''}${key}"`).join(', ');
      return `unknown parameter ${keys}`;
    }
    return `${at || 'arguments'}: ${issue.message}`;
  });
  return {
    ok: false,
    problem: `Nothing was done. Invalid arguments of ${call.name}: ${problems.join('; ')}. Its parameters are ${names}.`,
  };
}

/** A call that came to nothing is still shown, and answered. */
export function failedCall(call: Call, output: string, context: ToolContext): ToolResult {
  const args = call.arguments ?? call.input ?? '';
  const item: Item = {
    id: context.newId(),
    type: 'tool',
    name: call.name,
    arguments: shown(args),
    status: 'failed',
    output,
  };
  context.emit({ type: 'itemCompleted', item });
  return { output };
}

const shownCharsMax = 2000;
const shown = (text: string): string => (text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text);
