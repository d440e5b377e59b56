/** Text as it stands in HTML, attributes included. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? '')
}

/** The little Markdown that descriptions have: paragraphs, `code` and **what matters**. */
export function prose(markdown: string): string {
  return markdown
    .split('\n\n')
    .map((paragraph) => `<p>${phrase(paragraph)}</p>`)
    .join('')
}

/** The same within a paragraph. */
export function phrase(markdown: string): string {
  return escapeHtml(markdown)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
}
