/**
 * `text` without what a terminal would obey: file names and messages of servers may hold
 * anything.
 */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}
