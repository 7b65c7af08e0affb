/** What makes a setting stricter: the order, per setting, in which an editor's word may only go one way. */

type Comparison = (before: unknown, after: unknown) => boolean;

/** True where `after` allows what `before` does not. */
const ranks =
  (...looseToStrict: readonly unknown[]): Comparison =>
  (before, after) =>
    looseToStrict.indexOf(after) < looseToStrict.indexOf(before);

const higher: Comparison = (before, after) => typeof before !== 'number' || typeof after !== 'number' || after > before;

const extended: Comparison = (before, after) =>
  !Array.isArray(before) || !Array.isArray(after) || after.some((entry) => !before.includes(entry));

const network: Comparison = (before, after) => {
  if (before === 'full' || after === 'off') return false;
  return before === 'off' || after === 'full' || extended(before, after);
};

const comparisons: Readonly<Record<string, Comparison>> = {
  approvalPolicy: ranks('onRequest', 'untrusted', 'never'),
  'sandbox.mode': ranks('workspace', 'readOnly'),
  'sandbox.network': network,
  'sandbox.readableRoots': extended,
  'sandbox.env': extended,
  'sandbox.secrets': extended,
  'sandbox.sockets': extended,
  'sandbox.processes': higher,
  'sandbox.memoryMiB': higher,
  'sandbox.diskMiB': higher,
  'sandbox.dangerouslyUnsandboxed': ranks(true, false),
};

/** Settings that no file of a workspace may loosen. */
export const restricted = (path: string): boolean =>
  path === 'approvalPolicy' || ['sandbox.', 'provider.', 'retention.'].some((group) => path.startsWith(group));

/** A restricted setting without an order of its own can't be changed at all. */
export function loosens(path: string, before: unknown, after: unknown): boolean {
  if (JSON.stringify(before) === JSON.stringify(after)) return false;
  return comparisons[path]?.(before, after) ?? true;
}
