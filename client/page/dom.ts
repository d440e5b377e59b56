/** The element with this id. Throws for one that index.html does not have. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id)
  if (element instanceof kind) return element
  throw new TypeError(`The page has no ${kind.name} with the id "${id}".`)
}

/** A new element with a class and content. */
export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  element.className = className
  element.append(...content)
  return element
}

/** Sets the text only where it differs, so that selections and screen readers are left alone. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
  element.toggleAttribute('hidden', text === '')
}

/** Copies `text` and says so on `button` for a moment; false if the browser does not let us. */
export async function copyBy(button: HTMLButtonElement, text: string): Promise<boolean> {
  const copied = await copyText(text)
  const label = button.dataset.label ?? button.textContent ?? ''
  button.dataset.label = label
  button.textContent = copied ? 'Copied' : 'Not copied'
  setTimeout(() => {
    // Unless it has become the button for something else.
    if (button.dataset.label === label) button.textContent = label
    delete button.dataset.label
  }, 1600)
  return copied
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Only pages from https or this machine have a clipboard; the old way works on others.
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement
  const area = create('textarea', 'unseen', text)
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return copied
}
