/** The tools there are, in the order in which the model is told of them. */
import type { ToolDefinition } from '../../model/model.ts';
import type { Call } from '../repair.ts';
import { applyPatch } from './apply-patch.ts';
import { shell } from './shell.ts';
import { failedCall, type Tool, type ToolContext, type ToolResult } from './tool.ts';
import { updatePlan } from './update-plan.ts';

const tools: readonly Tool[] = [shell, applyPatch, updatePlan];

/** The same for every request of a thread, whatever a turn may do: what it may not is refused when it is tried. */
export const toolDefinitions = (freeform: boolean): ToolDefinition[] => tools.map((tool) => tool.definition(freeform));

export async function runTool(call: Call, context: ToolContext): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool) return tool.run(call, context);
  const names = tools.map(({ name }) => name).join(', ');
  return failedCall(call, `There is no tool "${call.name}". The tools are ${names}.`, context);
}
