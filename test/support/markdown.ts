/** A fenced block of code and what stands in front of it. */
export interface CodeBlock {
  readonly language: string
  readonly text: string
  /** Target of the last link before it; null if there is none. */
  readonly link: string | null
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const fences = markdown.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms)
  return [...fences].map(({ index, 2: language = '', 3: text = '' }) => ({
    language,
    text,
    link: links(markdown.slice(0, index)).at(-1) ?? null,
  }))
}

/** Targets of all links, in order. */
export function links(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The ids GitHub gives to the headings. */
export function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

/**
 * The rows below the head of the one table whose head is `head`, as trimmed cells.
 * @throws {TypeError} if there is no such table
 */
export function table(markdown: string, head: readonly string[]): string[][] {
  const lines = markdown.split('\n').map(cells)
  const start = lines.findIndex((line) => line.join('|') === head.join('|'))
  if (start < 0)
    throw new TypeError(`there is no table with the head ${head.join(' | ')}`)
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => line.length === 0)
  return rest.slice(0, end < 0 ? undefined : end)
}

/** What stands in `backticks`. */
export function codes(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

function cells(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim())
}
