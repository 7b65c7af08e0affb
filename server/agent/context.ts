/** What the model is told besides its instructions, as items of the conversation. Pure: nothing here reads anything. */
import type { ConversationItem } from '../model/model.ts';
import type { ThreadEvent, TurnStatus } from '../protocol/thread.ts';
import type { AgentsMd } from './agents-md.ts';

export function userMessage(text: string): ConversationItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

export type Environment = {
  /** The workspace, absolute; also where the copy is mounted. */
  root: string;
  /** All there is of it, where it has several folders: relative to the root. Commands start in the first. */
  folders?: readonly string[];
  /** 'linux', 'darwin', … with what else is known of it. */
  os: string;
  shell: string;
  /** A list: the hosts there are. */
  network: 'off' | 'full' | readonly string[];
  /** `readOnly`: commands can't write the workspace either. */
  sandbox: 'workspace' | 'readOnly';
  /** What keeps a command in; `namespaces`: it finds the copy at the workspace's own path. */
  isolation: 'namespaces' | 'seatbelt' | 'none';
  /** YYYY-MM-DD. */
  date: string;
};

export const environmentContext = (environment: Environment): ConversationItem =>
  section('environment_context', [
    `<workspace>${environment.root}</workspace>`,
    ...foldersLines(environment.folders),
    `<os>${environment.os}</os>`,
    `<shell>${environment.shell}</shell>`,
    `<network>${networkText(environment.network)}</network>`,
    `<files>${environment.sandbox === 'readOnly' ? 'read-only' : 'writable in the workspace'}</files>`,
    ...isolationLines[environment.isolation].map((line) => `<commands>${line}</commands>`),
    `<date>${environment.date}</date>`,
  ]);

/** One a line: a name may hold anything else. */
function foldersLines(folders: readonly string[] | undefined): string[] {
  const [first] = folders ?? [];
  if (folders === undefined || first === undefined) return [];
  return [
    '<workspace_folders>',
    ...folders,
    '</workspace_folders>',
    `<paths>The workspace has these folders and nothing else: what lies around them is not there. Every path, in a patch and as a workdir, is relative to the workspace and begins with one of them, as in ${first}/README.md. Commands start in ${first}.</paths>`,
  ];
}

const networkText = (network: Environment['network']): string =>
  typeof network === 'string' ? network : `only these hosts, through a proxy: ${network.join(', ')}`;

const ownPath =
  'a copy of the workspace that has a path of its own: give paths relative to where they start, never the absolute path of the workspace, which is the user’s own';
/** What the description of the tool says of the sandbox holds only for the first. */
const isolationLines: Readonly<Record<Environment['isolation'], readonly string[]>> = {
  namespaces: [],
  seatbelt: [`They run in ${ownPath} and cannot be written or read. There is no loopback network.`],
  none: [
    `They run WITHOUT A SANDBOX, with all rights of the user, in ${ownPath}. Write nothing outside of that copy, start nothing that goes on after the command, and use the network only where the task needs it.`,
  ],
};

/** Undefined where there are none. */
export function agentsMdContext({ files, truncated }: AgentsMd): ConversationItem | undefined {
  if (files.length === 0) return undefined;
  return section('agents_md', [
    'Instructions of the user and the project, the general before the particular. They hold for their folder and what is below it.',
    ...files.map(({ path, text }) => `<file path=${quoted(path)}>\n${text.replace(/\n$/, '')}\n</file>`),
    ...(truncated ? ['Cut: what is beyond 32 KiB in all is left out. Read the files for the rest.'] : []),
  ]);
}

/** Said once where there were some before, for what was said of them is still in the conversation. */
export const noAgentsMd = section('agents_md', [
  'There are no such files any more: what an earlier section of this name said does not hold.',
]);

export const hasAgentsMd = (conversation: readonly ConversationItem[]): boolean =>
  conversation.some((item) => tagOf(item) === 'agents_md');

/**
 * Of these sections, those that the conversation does not hold yet as they are now. Appended, never put in place of the
 * old ones: the prefix of the conversation stays what it was.
 */
export function contextUpdates(
  conversation: readonly ConversationItem[],
  sections: readonly (ConversationItem | undefined)[],
): ConversationItem[] {
  return sections
    .filter((item) => item !== undefined)
    .filter((item) => {
      const tag = tagOf(item);
      const last = conversation.findLast((earlier) => tagOf(earlier) === tag);
      return textIn(last) !== textIn(item);
    });
}

/** Something the task was delegated from. Lines are 0-based, the end exclusive. */
export type Attachment = {
  path: string;
  lines?: { start: number; end: number };
  /** The selected text, as the buffer has it. */
  selection?: string;
  diagnostics?: readonly { line: number; severity: string; message: string; source?: string }[];
  /** The buffer differs from the file on disk. */
  unsaved?: boolean;
};

const selectionCharsMax = 40_000;
const diagnosticsMax = 50;
const diagnosticCharsMax = 1000;
const attachmentsMax = 100;

/** The user's message of a turn: where it was delegated from, and the prompt in the user's own words at the end. */
export function taskMessage(task: {
  prompt: string;
  mode: 'task' | 'ask';
  attachments: readonly Attachment[];
}): ConversationItem {
  const shown = task.attachments.slice(0, attachmentsMax);
  const more = task.attachments.length - shown.length;
  return userMessage(
    [
      ...(shown.length > 0 ? [`<attached>\n${shown.map(attachment).join('\n')}\n</attached>`] : []),
      ...(more > 0 ? [`${more} more files were attached and are left out.`] : []),
      ...(task.mode === 'ask' ? ['This turn is a question. Answer it in words; files cannot be changed in it.'] : []),
      task.prompt,
    ].join('\n\n'),
  );
}

function attachment({ path, lines, selection, diagnostics = [], unsaved }: Attachment): string {
  const attributes = [
    `path=${quoted(path)}`,
    ...(lines ? [`lines="${lines.start + 1}-${Math.max(lines.end, lines.start + 1)}"`] : []),
    ...(unsaved ? ['unsaved="true"'] : []),
  ].join(' ');
  const shown = diagnostics.slice(0, diagnosticsMax);
  const more = diagnostics.length - shown.length;
  const content = [
    ...(selection === undefined ? [] : [`<selection>\n${cut(selection, selectionCharsMax)}\n</selection>`]),
    ...shown.map(
      ({ line, severity, message, source }) =>
        `line ${line + 1}: ${severity}: ${cut(message, diagnosticCharsMax)}${source ? ` (${source})` : ''}`,
    ),
    ...(more > 0 ? [`${more} more diagnostics`] : []),
  ];
  return content.length === 0 ? `<file ${attributes}/>` : `<file ${attributes}>\n${content.join('\n')}\n</file>`;
}

/**
 * What became of the agent's work since its last turn, from the events after it; undefined where there is nothing to
 * tell. `pending` and `conflicting` are paths, as the review has them now.
 */
export function reviewContext(since: {
  lastTurn?: TurnStatus;
  events: readonly ThreadEvent[];
  pending?: readonly string[];
  conflicting?: readonly string[];
}): ConversationItem | undefined {
  const decided = new Map<string, { path: string; status: string }>();
  const comments: string[] = [];
  const undone = new Set<string>();
  for (const event of since.events) {
    if (event.type === 'hunksDecided') {
      for (const { id, path, status } of event.hunks) decided.set(id, { path, status });
      if (event.comment) comments.push(event.comment);
    }
    if (event.type === 'undone') for (const path of event.result.applied) undone.add(path);
    if (event.type === 'applied') for (const path of event.result.applied) undone.delete(path);
  }
  const paths = (status: string) => {
    const counts = new Map<string, number>();
    for (const hunk of decided.values())
      if (hunk.status === status) counts.set(hunk.path, (counts.get(hunk.path) ?? 0) + 1);
    return [...counts].map(([path, count]) => `${path} (${count} ${count === 1 ? 'hunk' : 'hunks'})`);
  };
  const line = (what: string, list: readonly string[]) => (list.length > 0 ? [`${what}: ${list.join(', ')}`] : []);
  const lines = [
    ...(since.lastTurn === 'interrupted' ? ['The turn before was stopped by the user before it was finished.'] : []),
    ...(since.lastTurn === 'failed' ? ['The turn before ended by a failure before it was finished.'] : []),
    ...line('Accepted, now in the user’s files', paths('accepted')),
    ...line('Rejected, taken out of your copy', paths('rejected')),
    ...line('Undone by the user', [...undone]),
    ...line('Still waiting for the user’s review, and still in your copy', since.pending ?? []),
    ...line('In conflict with what the user has written meanwhile', since.conflicting ?? []),
    ...comments.map((comment) => `The user said of a rejected change: ${comment}`),
  ];
  return lines.length > 0 ? section('review', lines) : undefined;
}

/** At the end of what a forked thread was told, where the first one went on. */
export const forkedContext = section('forked', [
  'The user continues from here, in a thread of its own. The workspace is as the user has it now: of your changes, those that were not accepted are gone, and others may have been made since.',
]);

function section(tag: string, lines: readonly string[]): ConversationItem {
  return userMessage([`<${tag}>`, ...lines, `</${tag}>`].join('\n'));
}

/** The tag that one of our sections begins with. */
const tagOf = (item: ConversationItem): string | undefined => /^<(\w+)>\n/.exec(textIn(item) ?? '')?.[1];

function textIn(item: ConversationItem | undefined): string | undefined {
  if (item?.role !== 'user' || !Array.isArray(item.content)) return undefined;
  const [part]: { text?: unknown }[] = item.content;
  return typeof part?.text === 'string' ? part.text : undefined;
}

const quoted = (path: string): string => JSON.stringify(path);

const cut = (text: string, charsMax: number): string =>
  text.length > charsMax ? `${text.slice(0, charsMax)}\n[cut after ${charsMax} characters]` : text;
