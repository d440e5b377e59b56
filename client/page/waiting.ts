import { notRemoved } from './active.ts'
import type { Board } from './board.ts'
import { byId } from './dom.ts'
import type { FinishedUpload } from './finished.ts'
import { formatBytes } from './format.ts'
import {
  dropHandle,
  type FileHandle,
  findHandle,
  mayRead,
  readHandle,
} from './handles.ts'
import type { Picked } from './picked.ts'
import { choose } from './picking.ts'
import type { RememberedUpload } from './remembered.ts'
import type { Row } from './row.ts'
import { keyOf, remembered, removeUpload, standingOf } from './server.ts'
import { type Action, viewOfWaiting, type WaitingFacts } from './view.ts'

export interface WaitingParts {
  readonly upload: RememberedUpload
  readonly row: Row
  readonly board: Board
  /** The file is there: the upload can go on. */
  onFile(picked: Picked): void
  /** It is over; the file is given if it had arrived after all. */
  onEnd(file: FinishedUpload | null): void
}

/** An upload begun before this page was loaded, until its file is at hand again. */
export class WaitingFile {
  readonly #parts: WaitingParts
  #handle: FileHandle | null = null
  #facts: WaitingFacts = { received: null, hasHandle: false, note: '' }

  constructor(parts: WaitingParts) {
    this.#parts = parts
    parts.row.onAction = (name) => this.#act(name)
    this.#learn({})
  }

  get row(): Row {
    return this.#parts.row
  }

  /** Whether it can go on without the file being chosen again. */
  get hasHandle(): boolean {
    return this.#facts.hasHandle
  }

  /**
   * Finds out where it stands and whether the file is at hand. Goes on at once if nobody
   * need be asked and nobody had paused it.
   */
  async look(): Promise<void> {
    const { key, paused } = this.#parts.upload
    this.#handle = await findHandle(key)
    this.#learn({ hasHandle: this.#handle !== null })
    if (!(await this.#askServer()) || !this.#handle || paused) return
    if (await mayRead(this.#handle, false)) await this.proceed()
  }

  /** Goes on with the kept handle. Called while a click is handled it may ask a person. */
  async proceed(): Promise<void> {
    const handle = this.#handle
    if (!handle) return
    if (!(await mayRead(handle, true))) {
      this.#learn({ note: 'The browser was not allowed to read the file.' })
      return
    }
    const file = await readHandle(handle)
    if (file) this.#offer({ file, handle })
    else
      this.#learn({
        hasHandle: false,
        note: 'The file is not where it was. Choose it again.',
      })
  }

  #act(name: Action['name']) {
    if (name === 'continue') void this.proceed()
    if (name === 'choose') void this.#choose()
    if (name === 'cancel') void this.#giveUp()
  }

  /** False if there is nothing to go on with. */
  async #askServer(): Promise<boolean> {
    const standing = await standingOf(this.#parts.upload)
    if (standing.kind === 'unfinished') this.#learn({ received: standing.received })
    if (standing.kind === 'unfinished' || standing.kind === 'unknown') return true
    await this.#forget()
    this.#parts.onEnd(standing.kind === 'finished' ? standing.file : null)
    return false
  }

  async #choose() {
    const [picked] = await choose(byId('again', HTMLInputElement))
    if (picked) this.#offer(picked)
  }

  #offer(picked: Picked) {
    const { upload, board, onFile } = this.#parts
    if (keyOf(picked.file) === upload.key) {
      onFile(picked)
      return
    }
    const note = mismatch(upload, picked.file)
    this.#learn({ note })
    board.announce(note)
  }

  async #giveUp() {
    const { upload, board, onEnd } = this.#parts
    await this.#forget()
    onEnd(null)
    await removeUpload(upload).catch((error) =>
      board.notice(notRemoved(upload.name, error)),
    )
  }

  async #forget() {
    const { key } = this.#parts.upload
    await Promise.all([remembered.remove(key), dropHandle(key)])
  }

  #learn(change: Partial<WaitingFacts>) {
    this.#facts = { ...this.#facts, ...change }
    this.row.show(viewOfWaiting(this.#parts.upload, this.#facts))
  }
}

function mismatch(upload: RememberedUpload, file: File): string {
  if (file.name !== upload.name || file.size !== upload.size) {
    return `"${file.name}" (${formatBytes(file.size)}) is another file. This upload goes on with "${upload.name}" (${formatBytes(upload.size)}).`
  }
  return `"${file.name}" was changed since this upload began. Cancel it and upload the file anew.`
}
