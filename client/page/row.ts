import { create, setText } from './dom.ts'
import { type IconName, icon } from './icons.ts'
import type { Action, View } from './view.ts'

/** One file in the list. */
export interface Row {
  readonly element: HTMLLIElement
  /** What its buttons do; belongs to whoever the file belongs to at the moment. */
  onAction: (name: Action['name'], button: HTMLButtonElement) => void
  /** Shows `view`; touches only what differs, so that focus and selections stay. */
  show(view: View): void
  /** Shows a small picture of the file in place of its kind. */
  preview(file: Blob): void
  /** Draws the eye to the row. */
  point(): void
  /** Takes the row away; focus goes to the next one. */
  remove(): void
}

export function createRow(name: string): Row {
  const parts = createParts(name)
  let shown: View | null = null
  const row: Row = {
    element: parts.element,
    onAction() {},
    show(view) {
      showTexts(parts, view)
      if (view.link !== (shown?.link ?? null)) {
        parts.title.replaceChildren(linkTo(name, view.link))
      }
      if (!hasSameActions(view, shown)) showActions(parts.actions, name, view)
      shown = view
    },
    preview: (file) => showPicture(parts.tile, file),
    point: () => pointAt(parts.element),
    remove: () => removeRow(parts.element),
  }
  parts.actions.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null
    const action = shown?.actions.find(({ name }) => name === button?.dataset.action)
    if (button && action) row.onAction(action.name, button)
  })
  return row
}

type Parts = ReturnType<typeof createParts>

function createParts(name: string) {
  const tile = create('span', 'tile', kindOf(name))
  tile.ariaHidden = 'true'
  const title = create('p', 'name', create('span', '', name))
  title.title = name
  const detail = create('p', 'detail')
  const bar = create('progress', '')
  bar.max = 1
  bar.ariaLabel = `Progress of ${name}`
  const note = create('p', 'note')
  const what = create('div', 'what', title, detail, bar, note)
  const actions = create('div', 'actions')
  const sha256 = create('code', '')
  const digest = create('p', 'digest', 'SHA-256 ', sha256)
  const element = create('li', 'row arriving', tile, what, actions, digest)
  return { element, tile, title, detail, bar, note, actions, digest, sha256 }
}

function showTexts({ element, detail, note, bar, digest, sha256 }: Parts, view: View) {
  element.dataset.look = view.look
  setText(detail, view.detail)
  setText(note, view.note)
  bar.hidden = view.fraction === null
  bar.value = view.fraction ?? 0
  digest.hidden = view.sha256 === null
  setText(sha256, view.sha256 ?? '')
}

function pointAt(element: HTMLElement) {
  element.classList.remove('arriving', 'pointed')
  // Reading a size lets the animation begin again.
  void element.offsetWidth
  element.classList.add('pointed')
  element.scrollIntoView({ block: 'nearest' })
}

function linkTo(name: string, link: string | null): HTMLElement {
  if (link === null) return create('span', '', name)
  const anchor = create('a', '', name)
  anchor.href = link
  anchor.target = '_blank'
  anchor.rel = 'noopener'
  return anchor
}

/** Changes the buttons in place, so that the one that has the focus keeps it. */
function showActions(actions: HTMLElement, file: string, view: View) {
  const old = [...actions.querySelectorAll('button')]
  const buttons = view.actions.map((action, i) => {
    const button = old[i] ?? create('button', '')
    button.type = 'button'
    button.dataset.action = action.name
    button.ariaLabel = `${action.label}: ${file}`
    const drawing = drawings[action.name]
    button.className = drawing ? 'round' : wanted.has(action.name) ? 'wanted' : ''
    button.title = drawing ? action.label : ''
    button.replaceChildren(drawing ? icon(drawing) : action.label)
    delete button.dataset.label
    return button
  })
  for (const button of old.slice(buttons.length)) button.remove()
  const missing = buttons.slice(old.length)
  const anchor = view.link === null ? [] : [openLink(file, view.link)]
  actions.querySelector('a')?.remove()
  actions.prepend(...anchor)
  actions.append(...missing)
}

const drawings: Partial<Record<Action['name'], IconName>> = {
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel',
  remove: 'cancel',
}
const wanted = new Set<Action['name']>(['continue', 'choose'])

function openLink(name: string, link: string): HTMLAnchorElement {
  const anchor = create('a', 'button', 'Open')
  anchor.href = link
  anchor.target = '_blank'
  anchor.rel = 'noopener'
  anchor.ariaLabel = `Open: ${name}`
  return anchor
}

function hasSameActions(view: View, shown: View | null): boolean {
  if (!shown || view.link !== shown.link) return false
  const names = (one: View) => one.actions.map(({ label }) => label).join()
  return names(view) === names(shown)
}

function showPicture(tile: HTMLElement, file: Blob) {
  const picture = create('img', '')
  picture.alt = ''
  picture.decoding = 'async'
  picture.src = URL.createObjectURL(file)
  const release = () => URL.revokeObjectURL(picture.src)
  picture.addEventListener('load', () => {
    release()
    tile.replaceChildren(picture)
  })
  // What the browser cannot draw keeps the letters of its kind.
  picture.addEventListener('error', release)
}

function removeRow(element: HTMLLIElement) {
  const hadFocus = element.contains(document.activeElement)
  const neighbour = element.nextElementSibling ?? element.previousElementSibling
  element.remove()
  if (!hadFocus) return
  const next = neighbour?.querySelector<HTMLElement>('.actions :is(button, a)')
  const target = next ?? document.getElementById('choose')
  target?.focus()
}

/** `PDF`, or a dash for a name without an ending. */
function kindOf(name: string): string {
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1]
  return ending ?? '–'
}
