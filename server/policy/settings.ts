/** Settings are resolved from layers, later wins; what an editor says can only make the agent's limits stricter. */
import * as z from 'zod';
import { defaultSettings, type Settings, settingsSchema } from '../protocol/settings.ts';
import { loosens, restricted } from './strictness.ts';

export type SettingsSource = {
  origin: 'config.json' | 'flags' | 'initializationOptions' | 'workspace/configuration';
  /** The settings object itself, in part; null and undefined are empty. */
  value: unknown;
};

/** `path` of the setting, dotted; empty where a whole source is not an object. The message is one line and names the path. */
export type SettingsProblem = { path: string; message: string };

type Leaf = { path: string; schema: z.ZodType };
type Tree = { [key: string]: unknown };

/**
 * Merges the sources in their order over the defaults. An invalid value, an unknown key and what an editor is not
 * trusted with are reported and left out; everything else counts. Never throws.
 */
export function resolveSettings(sources: readonly SettingsSource[]): {
  settings: Settings;
  problems: SettingsProblem[];
} {
  const values = new Map(leaves.map(({ path }) => [path, valueAt(defaultSettings, path)]));
  const problems: SettingsProblem[] = [];
  for (const { origin, value } of sources) {
    if (value === null || value === undefined) continue;
    if (!isTree(value)) {
      problems.push({ path: '', message: `settings of ${origin} are ignored: expected an object` });
      continue;
    }
    for (const found of flatten(value, settingsSchema.shape, '')) {
      const problem = admit(found, origin, values);
      if (problem) problems.push({ path: found.path, message: `${found.path} (${origin}): ${problem}` });
    }
  }
  const merged: Tree = {};
  for (const [path, value] of values) if (value !== undefined) setAt(merged, path, value);
  return { settings: settingsSchema.parse(merged), problems };
}

/** `limits.steps=3` → `{ limits: { steps: 3 } }`. The value is JSON, or else (or where only a text fits) plain text. */
export function parseFlag(flag: string): { value: Record<string, unknown> } | { error: string } {
  const at = flag.indexOf('=');
  const path = at < 0 ? flag : flag.slice(0, at);
  if (at < 0) return { error: `expected key=value, got "${flag}"` };
  if (!/^[A-Za-z]+(\.[A-Za-z]+)*$/.test(path)) return { error: `"${path}" is not the path of a setting` };
  const text = flag.slice(at + 1);
  const schema = leaves.find((leaf) => leaf.path === path)?.schema;
  let parsed: unknown = text;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Plain text.
  }
  if (schema && !schema.safeParse(parsed).success && schema.safeParse(text).success) parsed = text;
  const value: Tree = {};
  setAt(value, path, parsed);
  return { value };
}

type Found = { path: string; value: unknown; schema: z.ZodType | undefined };

function* flatten(value: Tree, shape: z.core.$ZodShape, prefix: string): Generator<Found> {
  for (const key of Object.keys(value)) {
    const path = prefix + key;
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    const group = schema && groupShape(schema);
    const inner = value[key];
    if (inner === undefined) continue;
    if (group && isTree(inner)) yield* flatten(inner, group, `${path}.`);
    else yield { path, value: inner, schema: schema instanceof z.ZodType ? schema : undefined };
  }
}

/** Puts a value in place, or says why not. */
function admit(found: Found, origin: SettingsSource['origin'], values: Map<string, unknown>): string | undefined {
  const { path, value, schema } = found;
  if (!schema) return 'no such setting; it is ignored';
  if (!values.has(path)) return 'expected an object; it is ignored';
  const checked = schema.safeParse(value);
  const before = values.get(path);
  if (!checked.success) {
    const [first] = checked.error.issues;
    const issue = first && nearest(first);
    const inside = issue && issue.path.length > 0 ? `[${issue.path.join('.')}] ` : '';
    return `${inside}${issue?.message ?? 'invalid'}; ${before === undefined ? 'it is left unset' : `${shown(path, before)} is used`}`;
  }
  const trusted = origin === 'config.json' || origin === 'flags';
  if (!trusted && restricted(path) && loosens(path, before, checked.data)) return refusal(path, checked.data);
  values.set(path, checked.data);
  return undefined;
}

/** Where a value may have several forms: what is wrong with it in the form that it came nearest to. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().map(nearest);
  const [deepest] = inner.toSorted((a, b) => b.path.length - a.path.length);
  return deepest && deepest.path.length > 0 ? deepest : issue;
}

function refusal(path: string, value: unknown): string {
  const words: Tree = {};
  setAt(words, path, isSecret(path) ? '…' : value);
  const json = JSON.stringify(words, null, 1).replace(/\n\s*/g, ' ');
  const text = isSecret(path) ? json.replace('"…"', '…') : json;
  return `an editor can only make this stricter, so it is ignored; if you want it, put ${text} into codex-lsp's config.json`;
}

/** Values of the provider may be. */
const isSecret = (path: string): boolean => path.startsWith('provider.');
const shown = (path: string, value: unknown): string =>
  isSecret(path) ? 'the value before it' : JSON.stringify(value);

const leaves: readonly Leaf[] = [...leavesOf(settingsSchema.shape, '')];

function* leavesOf(shape: z.core.$ZodShape, prefix: string): Generator<Leaf> {
  for (const [key, schema] of Object.entries(shape)) {
    const group = groupShape(schema);
    if (group) yield* leavesOf(group, `${prefix}${key}.`);
    else if (schema instanceof z.ZodType) yield { path: prefix + key, schema };
  }
}

function groupShape(schema: z.core.$ZodType): z.core.$ZodShape | undefined {
  const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}

function valueAt(tree: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), tree);
}

function setAt(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = tree;
  for (const key of keys) {
    const inner = at[key];
    const next: Tree = isTree(inner) ? inner : {};
    at[key] = next;
    at = next;
  }
  at[last] = value;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
