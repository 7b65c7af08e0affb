/** What the agent said before it changed a file. */
import type { ThreadState } from './state.ts';

/** The message before the last patch of this file, in the turn of that patch; undefined where there is none. */
export function saidBefore({ turns }: ThreadState, paths: readonly string[]): string | undefined {
  for (const { items } of turns.toReversed()) {
    const at = items.findLastIndex(
      (item) =>
        item.type === 'patch' && item.status === 'completed' && item.files.some(({ path }) => paths.includes(path)),
    );
    if (at < 0) continue;
    const said = items.slice(0, at).findLast((item) => item.type === 'agentMessage');
    const text = said?.type === 'agentMessage' ? said.text.trim() : '';
    return text === '' ? undefined : text;
  }
  return undefined;
}
