import { notRemoved } from './active.ts'
import type { Board } from './board.ts'
import { byId } from './dom.ts'
import type { FinishedUpload } from './finished.ts'
import { formatBytes } from './format.ts'
import { dropHandle, findHandle, mayRead, readHandle } from './handles.ts'
import { choose, type Picked } from './picking.ts'
import type { RememberedUpload } from './remembered.ts'
import type { Row } from './row.ts'
import { keyOf, remembered, removeUpload, standingOf } from './server.ts'
import { type Action, viewOfWaiting, type WaitingFacts } from './view.ts'

/** An upload begun before this page was loaded, until its file is at hand again. */
export interface Waiting {
  readonly key: string
  readonly row: Row
  /** Whether it goes on without the file being chosen. */
  readonly hasHandle: boolean
  /** Goes on with the kept handle; has to be called while a click is handled. */
  proceed(): Promise<void>
  act(name: Action['name']): void
}

export interface WaitingParts {
  readonly upload: RememberedUpload
  readonly row: Row
  readonly board: Board
  /** The file is there: the upload can go on. */
  onFile(picked: Picked): void
  /** It is over; the file is given if it had arrived after all. */
  onEnd(file: FinishedUpload | null): void
}

/** Shows `upload` in its row, and goes on with it at once if nobody need be asked. */
export async function wait(parts: WaitingParts): Promise<Waiting> {
  const { upload, row, board } = parts
  const { key } = upload
  const handle = await findHandle(key)
  let facts: WaitingFacts = { received: null, hasHandle: handle !== null, note: '' }
  const waiting: Waiting = { key, row, hasHandle: handle !== null, proceed, act }

  function learn(change: Partial<WaitingFacts>) {
    facts = { ...facts, ...change }
    row.show(viewOfWaiting(upload, facts))
  }

  async function look() {
    const standing = await standingOf(upload)
    if (standing.kind === 'unfinished') return learn({ received: standing.received })
    if (standing.kind === 'unknown') return
    await forget()
    parts.onEnd(standing.kind === 'finished' ? standing.file : null)
  }

  async function forget() {
    await Promise.all([remembered.remove(key), dropHandle(key)])
  }

  function offer(picked: Picked) {
    if (keyOf(picked.file) === key) return parts.onFile(picked)
    learn({ note: mismatch(upload, picked.file) })
    board.announce(mismatch(upload, picked.file))
  }

  async function proceed() {
    if (!handle) return
    if (!(await mayRead(handle, true))) {
      return learn({ note: 'The browser was not allowed to read the file.' })
    }
    const file = await readHandle(handle)
    if (file) return offer({ file, handle })
    learn({ hasHandle: false, note: 'The file is not where it was. Choose it again.' })
  }

  async function chooseAgain() {
    const [picked] = await choose(byId('again', HTMLInputElement))
    if (picked) offer(picked)
  }

  async function giveUp() {
    await forget()
    parts.onEnd(null)
    await removeUpload(upload).catch((error) =>
      board.notice(notRemoved(upload.name, error)),
    )
  }

  function act(name: Action['name']) {
    if (name === 'continue') void proceed()
    if (name === 'choose') void chooseAgain()
    if (name === 'cancel') void giveUp()
  }

  learn({})
  void look()
  if (handle && !upload.paused && (await mayRead(handle, false))) void proceed()
  return waiting
}

function mismatch(upload: RememberedUpload, file: File): string {
  if (file.name !== upload.name || file.size !== upload.size) {
    return `"${file.name}" (${formatBytes(file.size)}) is another file. This upload goes on with "${upload.name}" (${formatBytes(upload.size)}).`
  }
  return `"${file.name}" was changed since this upload began. Cancel it and upload the file anew.`
}
