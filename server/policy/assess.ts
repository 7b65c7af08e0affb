/** Whether an action may happen: allow, ask the user, or deny with a reason that the model can use. */
import type { Settings } from '../protocol/settings.ts';
import { isKnownReadOnly } from './read-only-commands.ts';

export type Action =
  | { kind: 'command'; command: string; cwd: string }
  | { kind: 'network'; hosts: readonly string[]; reason: string; command: string }
  | { kind: 'read'; paths: readonly string[]; reason: string; command: string }
  | { kind: 'patch' };

export type Policy = {
  approvalPolicy: Settings['approvalPolicy'];
  mode: Settings['sandbox']['mode'];
  network: 'off' | 'full';
  /** `ask` turns answer; they change nothing. */
  turnMode: 'task' | 'ask';
};

export type Assessment =
  | { decision: 'allow' }
  | { decision: 'ask'; title: string }
  | { decision: 'deny'; reason: string };

const allow: Assessment = { decision: 'allow' };
const deny = (reason: string): Assessment => ({ decision: 'deny', reason });

export function assess(action: Action, policy: Policy): Assessment {
  switch (action.kind) {
    case 'patch':
      if (policy.turnMode === 'ask')
        return deny('This turn only answers a question: files cannot be changed. Answer in words.');
      if (policy.mode === 'readOnly')
        return deny('The sandbox is read-only (setting sandbox.mode): files cannot be changed.');
      return allow;
    case 'command':
      // The copy is harmless, so that only who asked to be asked is asked.
      if (policy.approvalPolicy !== 'untrusted' || isKnownReadOnly(action.command)) return allow;
      return { decision: 'ask', title: shown(`Run: ${action.command}`) };
    case 'network':
      if (policy.network === 'full') return allow;
      return deny(
        'The network is off, and this version cannot open it for one command. Do without it, or tell the user what you would need it for.',
      );
    case 'read':
      if (action.paths.some(isTooWide)) {
        return deny(
          'The whole file system, and the folders of the kernel and of running services, cannot be opened for reading: name the file or folder that you need.',
        );
      }
      if (policy.approvalPolicy === 'never') {
        return deny('Reading outside the workspace needs the user’s approval, and the approval policy is never.');
      }
      return { decision: 'ask', title: shown(`Read ${action.paths.join(', ')}`) };
  }
}

/** Real, absolute paths. Sockets of services, other processes and devices are not for reading. */
const isTooWide = (path: string): boolean => /^\/+$|^\/(proc|sys|dev|run|var\/run)(\/|$)/.test(path);

const titleCharsMax = 300;

/** One line; what could hide or turn round a part of it is seen. */
function shown(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
  return line.length > titleCharsMax ? `${line.slice(0, titleCharsMax)}…` : line;
}
