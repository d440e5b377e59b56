/** What {@link element} can write. What is undefined is left out; a list repeats its element. */
export type XmlValue =
  | string
  | number
  | boolean
  | Date
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue }

/** A whole document. */
export function xmlDocument(name: string, value: XmlValue): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, value)}`
}

/** What stands in the elements of a name, in order; not for elements nested in their like. */
export function elementsOf(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([^]*?)</${name}>`, 'g'))
  return [...found].map(([, inner = '']) => inner)
}

/** The text of the first element of a name, or null. */
export function textOf(xml: string, name: string): string | null {
  const [inner] = elementsOf(xml, name)
  return inner === undefined ? null : unescaped(inner)
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (isList(value)) return value.map((item) => element(name, item)).join('')
  if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`
  if (typeof value !== 'object') return `<${name}>${escaped(String(value))}</${name}>`
  const inner = Object.entries(value).map((entry) => element(...entry))
  return `<${name}>${inner.join('')}</${name}>`
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value)
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const

function escaped(text: string): string {
  return text.replaceAll(/[&<>"\r\n]/g, (char) => `&#${char.charCodeAt(0)};`)
}

function unescaped(text: string): string {
  return text.replaceAll(/&(#x?)?(\w+);/g, (whole, number: string, name: string) => {
    if (number)
      return String.fromCodePoint(Number.parseInt(name, number === '#' ? 10 : 16))
    return entities[name as keyof typeof entities] ?? whole
  })
}
