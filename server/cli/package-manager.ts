/** The command that installs a package on this system, by the name the distribution gives itself. */
import { readFile } from 'node:fs/promises';

const managers: readonly (readonly [RegExp, string])[] = [
  [/\b(debian|ubuntu)\b/, 'apt-get install -y'],
  [/\b(fedora|rhel|centos)\b/, 'dnf install -y'],
  [/\b(arch|manjaro)\b/, 'pacman -S --noconfirm'],
  [/\balpine\b/, 'apk add'],
  [/\b(opensuse|suse|sles)\b/, 'zypper install -y'],
];

/** `sudo apt-get install -y git`, or a sentence where the system is unknown. */
export async function installCommand(packageName: string): Promise<string> {
  if (process.platform === 'darwin') return `brew install ${packageName}`;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return installCommandFor(release, packageName, process.getuid?.() === 0);
}

/** @param release the text of `/etc/os-release` */
export function installCommandFor(release: string, packageName: string, isRoot: boolean): string {
  const fields = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].map(([, value = '']) => value);
  const manager = managers.find(([name]) => name.test(fields.join(' ')))?.[1];
  if (!manager) return `install ${packageName} with this system's package manager`;
  return `${isRoot ? '' : 'sudo '}${manager} ${packageName}`;
}
