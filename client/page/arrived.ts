import type { Board } from './board.ts'
import { copyBy } from './dom.ts'
import { dropFinished, type FinishedUpload, keepFinished } from './finished.ts'
import type { Row } from './row.ts'
import { awaitDigest, isServed } from './server.ts'
import { type Action, viewOfFinished } from './view.ts'

export interface ArrivedParts {
  readonly row: Row
  readonly board: Board
  /** It left the list. */
  onRemove(): void
}

/** A file that is on the server, until it is taken off the list. */
export class ArrivedFile {
  #upload: FinishedUpload
  readonly #parts: ArrivedParts
  #removed = false

  constructor(upload: FinishedUpload, parts: ArrivedParts) {
    this.#upload = upload
    this.#parts = parts
    parts.row.onAction = (name, button) => this.#act(name, button)
    parts.row.show(viewOfFinished(upload))
  }

  /** Remembers it for the next time the page is loaded, and its digest once there is one. */
  async keep(): Promise<void> {
    keepFinished(this.#upload)
    if (this.#upload.sha256) return
    const sha256 = await awaitDigest(this.#upload.id).catch(() => null)
    if (!sha256 || this.#removed) return
    this.#upload = { ...this.#upload, sha256 }
    keepFinished(this.#upload)
    this.#parts.row.show(viewOfFinished(this.#upload))
  }

  /** Takes it off the list if the server does not have it any more. */
  async check(): Promise<void> {
    const { url } = this.#upload
    if (url && !(await isServed(url))) this.remove()
  }

  /** Takes it off the list; the file stays where it is. */
  remove(): void {
    this.#removed = true
    dropFinished(this.#upload.id)
    this.#parts.row.remove()
    this.#parts.onRemove()
  }

  #act(name: Action['name'], button: HTMLButtonElement) {
    if (name === 'remove') this.remove()
    if (name === 'copy') void this.#copy(button)
  }

  async #copy(button: HTMLButtonElement) {
    const copied = await copyBy(button, this.#upload.url ?? '')
    const sentence = copied ? 'The link is copied.' : 'The link could not be copied.'
    this.#parts.board.announce(sentence)
  }
}
