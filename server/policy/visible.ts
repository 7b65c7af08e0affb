/** Text of the model or the repository as a person must see it before they say yes: nothing of it hides or turns round. */

/** Control characters, marks of direction, and all that is drawn as nothing or as something else by each font. */
const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** One line. */
export const visible = (text: string): string => text.replace(/\s+/g, ' ').replace(unseen, '\ufffd');

/** The same with its lines kept. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');

/** At most so many characters; what is cut is said, at the end. */
export function bounded(text: string, charsMax: number): string {
  const characters = [...text];
  if (characters.length <= charsMax) return text;
  return `${characters.slice(0, charsMax).join('')}… (${characters.length} characters in all)`;
}
