/** The text of protocol.md: what the schemas say, in the order a reader needs it, with the rules that are prose between. */
import {
  applyResultSchema,
  changesetSchema,
  fileChangeSchema,
  fileKindSchema,
  hunkSchema,
  hunkStatusSchema,
} from './changeset.ts';
import { commandOf, type MethodName, methods, rangeSchema, refusalReasons } from './methods.ts';
import { notationWith } from './notation.ts';
import * as prose from './prose.ts';
import { effortSchema, settingsSchema } from './settings.ts';
import {
  approvalSchema,
  decisionSchema,
  eventEnvelopeSchema,
  failureReasonSchema,
  grantSchema,
  itemSchema,
  itemStatusSchema,
  planStepSchema,
  threadEventSchema,
  threadStatusSchema,
  threadSummarySchema,
  turnStatusSchema,
  usageSchema,
} from './thread.ts';

const values = {
  Range: rangeSchema,
  Effort: effortSchema,
  ThreadSummary: threadSummarySchema,
  ThreadStatus: threadStatusSchema,
  Usage: usageSchema,
  Approval: approvalSchema,
  Decision: decisionSchema,
  Grant: grantSchema,
  Changeset: changesetSchema,
  FileChange: fileChangeSchema,
  FileKind: fileKindSchema,
  Hunk: hunkSchema,
  HunkStatus: hunkStatusSchema,
  ApplyResult: applyResultSchema,
};
const events = {
  EventEnvelope: eventEnvelopeSchema,
  ThreadEvent: threadEventSchema,
  Item: itemSchema,
  ItemStatus: itemStatusSchema,
  PlanStep: planStepSchema,
  TurnStatus: turnStatusSchema,
  FailureReason: failureReasonSchema,
};

export function referenceText(): string {
  const notation = notationWith({ ...values, ...events });
  const declarations = (of: object) => fenced(Object.keys(of).map(notation.declaration).join('\n'));

  const requests = methodEntries().map(
    ([name, { params, result }]) => `'${name}' ${notation.of(params)}\n  => ${notation.of(result)}`,
  );
  const settings = notation
    .settings(settingsSchema)
    .map(({ path, type, default: fallback, doc }) => [code(path), code(type), code(fallback), doc]);

  const sections = [
    prose.introduction,
    `## Starting it\n\n${prose.starting}`,
    `## Settings\n\n${table(['setting', 'type', 'default', 'what it does'], settings)}\n\n${prose.settings}`,
    `## Initialize\n\n${prose.initialize}`,
    `## Requests and commands\n\n${table(['request', 'command', 'what it does'], methodEntries().map(methodRow))}`,
    prose.commands,
    fenced(requests.join('\n\n')),
    prose.requests,
    `### Their types\n\n${declarations(values)}\n\n${prose.values}`,
    `## Errors\n\n${prose.errors}\n\n${refusalReasons.map(code).join(', ')}.`,
    `## Events\n\n${prose.events}\n\n${declarations(events)}`,
    `## Without an editor\n\n${prose.exec}`,
    `## Tools offered to the model\n\n${prose.tools}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function methodEntries(): [MethodName, (typeof methods)[MethodName]][] {
  const isMethod = (name: string): name is MethodName => name in methods;
  return Object.keys(methods)
    .filter(isMethod)
    .map((name) => [name, methods[name]]);
}

function methodRow([name, method]: [MethodName, (typeof methods)[MethodName]]): string[] {
  const text = 'text' in method ? ` ${code(`["${method.text}"]`)}` : '';
  return [code(name), `${code(commandOf(name))}${text}`, method.doc];
}

const fenced = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``;
const code = (text: string): string => (text ? `\`${text.replaceAll('|', '\\|')}\`` : '');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
