/** Kinds of file systems that can't hold the upper layer of an overlay; what is on no list here, the probe finds out. */
import { statfs } from 'node:fs/promises';

/** `f_type` of statfs(2). */
const overlay = 0x794c7630;
const unfit: ReadonlyMap<number, string> = new Map([
  [overlay, 'an overlay filesystem, as in a container'],
  [0x6969, 'a network file system (NFS)'],
  [0x517b, 'a network file system (SMB)'],
  [0xff534d42, 'a network file system (CIFS)'],
  [0xfe534d42, 'a network file system (SMB)'],
  [0x01021997, 'a file system of the host machine (9p)'],
  [0x00c36400, 'a network file system (Ceph)'],
  [0x5346414f, 'a network file system (AFS)'],
  [0x0bd00bd0, 'a network file system (Lustre)'],
  [0x73757245, 'a network file system (Coda)'],
]);

/** What kind of file system a folder lies on, where it can't hold an upper layer. */
export async function unfitFilesystem(folder: string): Promise<string | undefined> {
  const found = await statfs(folder).catch(() => undefined);
  return found && unfitKind(found.type);
}

/** Whether a folder lies on an overlay itself, as in a container. */
export const isOnOverlay = async (folder: string): Promise<boolean> =>
  (await statfs(folder).catch(() => undefined))?.type === overlay;

export const unfitKind = (type: number): string | undefined => unfit.get(type >>> 0);
