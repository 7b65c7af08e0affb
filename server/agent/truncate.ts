/** Long text cut down to its head and tail, which is where commands say what matters. Pure. */

/** Bytes that stand for one token, near enough. */
export const bytesPerToken = 4;
/** A text this little too long was cut before, and its mark is what is too much. */
const slackBytes = 256;

/** What has at most so many bytes is left as it is by `truncateMiddle`. */
export const wholeBytesMax = (bytesMax: number): number => bytesMax + slackBytes;

/**
 * At most `bytesMax` bytes of the text in UTF-8, and a line that says how much is left out of the middle.
 * The cuts are made at line ends where there is one near.
 */
export function truncateMiddle(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= wholeBytesMax(bytesMax)) return text;
  const half = Math.floor(bytesMax / 2);
  const head = wholeLinesOfHead(bytes.subarray(0, half));
  const tail = wholeLinesOfTail(bytes.subarray(bytes.length - half));
  const leftOut = bytes.length - Buffer.byteLength(head) - Buffer.byteLength(tail);
  return `${head}${head.endsWith('\n') ? '' : '\n'}[… ${leftOut} bytes left out here …]\n${tail}`;
}

/** A line end in the last (first) part of a piece is near: not more than a quarter of it is given away for it. */
const nearPart = 0.25;

function wholeLinesOfHead(bytes: Buffer): string {
  const end = bytes.lastIndexOf('\n') + 1;
  return decode(end >= bytes.length * (1 - nearPart) ? bytes.subarray(0, end) : bytes);
}

function wholeLinesOfTail(bytes: Buffer): string {
  const start = bytes.indexOf('\n') + 1;
  return decode(start > 0 && start <= bytes.length * nearPart ? bytes.subarray(start) : bytes);
}

/** Without the halves of characters that a cut leaves at either end. */
const decode = (bytes: Buffer): string => {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return new TextDecoder('utf-8').decode(bytes.subarray(start), { stream: true });
};
