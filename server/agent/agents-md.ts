/** AGENTS.md: the user's own, then the project's, from its root down to the working folder. */
import { dirname, join, relative, sep } from 'node:path';
import { foldersOf } from '../protocol/folders.ts';

export type AgentsMd = {
  /** General before particular. `path` is shown: relative to the workspace where it is inside, else absolute. */
  files: { path: string; text: string }[];
  /** Something was cut off because of `agentsMdBytesMax`. */
  truncated: boolean;
};

/** Of all files together. */
export const agentsMdBytesMax = 32 * 1024;
/** Folders looked at, upward for the root of the project. */
const foldersMax = 64;
/** In each folder the first of these wins. */
const names = ['AGENTS.override.md', 'AGENTS.md'];

export type AgentsMdOptions = {
  /** Absolute; for the global file. */
  codexHome: string;
  /** The workspace folder, absolute; or what paths are shown relative to, where there are several `folders`. */
  root: string;
  /** Absolute. */
  folders?: readonly string[];
  /** Where the work is, workspace-relative; default: the workspace itself. */
  folder?: string;
  /** The text of a file as the user has it, or undefined where there is none or it can't be read. Absolute path. */
  read: (path: string) => Promise<string | undefined>;
  /** For `.git`, which may be a file or a folder. Absolute path. */
  exists: (path: string) => Promise<boolean>;
};

export async function collectAgentsMd(options: AgentsMdOptions): Promise<AgentsMd> {
  const { codexHome, root, read } = options;
  const inProjects = await Promise.all(foldersOf(options).map((each) => projectFolders({ ...options, root: each })));
  const folders = new Set([codexHome, ...inProjects.flat()]);
  const files: AgentsMd['files'] = [];
  let left = agentsMdBytesMax;
  let truncated = false;

  for (const folder of folders) {
    const found = await firstOf(folder, read);
    if (!found) continue;
    const bytes = Buffer.from(found.text);
    // Streaming mode keeps back half a character at the end of a cut.
    const text = new TextDecoder().decode(bytes.subarray(0, left), { stream: bytes.length > left });
    truncated ||= bytes.length > left;
    left -= Math.min(bytes.length, left);
    if (text !== '') files.push({ path: shownPath(found.path, root), text });
  }
  return { files, truncated };
}

/** From the nearest folder with a `.git`, at the workspace or above it, down to the working folder. */
async function projectFolders({ root, folder = '', exists }: AgentsMdOptions): Promise<string[]> {
  const project = (await gitRootAbove(root, exists)) ?? root;
  const inside = relative(project, join(root, folder)).split(sep).filter(Boolean);
  if (inside[0] === '..') return [project];
  return [project, ...inside.map((_, depth) => join(project, ...inside.slice(0, depth + 1)))];
}

async function gitRootAbove(root: string, exists: AgentsMdOptions['exists']): Promise<string | undefined> {
  let folder = root;
  for (let count = 0; count < foldersMax; count += 1) {
    if (await exists(join(folder, '.git'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return undefined;
}

async function firstOf(
  folder: string,
  read: AgentsMdOptions['read'],
): Promise<{ path: string; text: string } | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    const text = await read(path);
    if (text !== undefined && text.trim() !== '') return { path, text };
  }
  return undefined;
}

function shownPath(path: string, root: string): string {
  const inside = relative(root, path);
  return inside.startsWith('..') ? path : inside.split(sep).join('/');
}
