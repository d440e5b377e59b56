import type { FileUpload } from '../file-upload.ts'
import type { Upload, UploadEvent } from '../upload.ts'
import type { Board } from './board.ts'
import { formatFraction } from './format.ts'
import { dropHandle } from './handles.ts'
import type { Row } from './row.ts'
import { remembered } from './server.ts'
import { type Action, sentenceOf, viewOfActive } from './view.ts'

export interface ActiveParts {
  readonly key: string
  readonly row: Row
  readonly batch: Upload<null>
  readonly upload: FileUpload<null>
  readonly board: Board
  /** Called once, when the file is uploaded or cancelled. */
  onEnd(active: ActiveFile): void
  /** Called whenever anything changed. */
  onChange(): void
}

/** A file that this tab uploads, from the moment it is chosen until it is done or given up. */
export class ActiveFile {
  readonly #parts: ActiveParts
  readonly #unsubscribe: () => void
  #lastState: string
  /** When the next try begins, in milliseconds since 1970. */
  #retryAt = 0
  #frame = 0

  constructor(parts: ActiveParts) {
    this.#parts = parts
    this.#lastState = parts.upload.current.state
    this.#unsubscribe = parts.batch.subscribe((event) => {
      if (event.file === parts.upload) this.#onEvent(event)
    })
    parts.row.onAction = (name) => this.#act(name)
    this.#show()
  }

  get key(): string {
    return this.#parts.key
  }

  get row(): Row {
    return this.#parts.row
  }

  get current() {
    return this.#parts.upload.current
  }

  pause(): void {
    this.#parts.upload.pause()
    if (this.current.state === 'paused') void remembered.setPaused(this.key, true)
  }

  resume(): void {
    this.#parts.upload.resume()
    void remembered.setPaused(this.key, false)
  }

  #act(name: Action['name']) {
    if (name === 'pause') this.pause()
    if (name === 'cancel') this.#cancel()
    if (name === 'resume') this.resume()
    if (name === 'retry') {
      // Ends the wait between two tries; a file that failed is not paused by it.
      this.#parts.upload.pause()
      this.resume()
    }
  }

  #cancel() {
    const { upload, board } = this.#parts
    const { name } = upload.current
    upload.cancel().catch((error) => board.notice(notRemoved(name, error)))
  }

  #onEvent(event: UploadEvent<null>) {
    const { board } = this.#parts
    const { name, size, state } = this.current
    if (event.type === 'retry') this.#retryAt = Date.now() + event.retry.delay
    if (event.type === 'restart') board.announce(`${name} begins anew.`)
    if (event.type === 'resume' && event.offset > 0) {
      board.announce(`${name} goes on at ${formatFraction(event.offset / size)}.`)
    }
    if (event.type === 'state' && state !== this.#lastState) this.#turn()
    this.#draw()
  }

  #turn() {
    const { board, onEnd, onChange } = this.#parts
    const { name, state, error } = this.current
    this.#lastState = state
    if (state === 'failed') board.announce(`${name} failed. ${sentenceOf(error)}`)
    if (state === 'paused') board.announce(`${name} is paused.`)
    if (!this.#isOver()) return
    cancelAnimationFrame(this.#frame)
    this.#unsubscribe()
    void dropHandle(this.key)
    onEnd(this)
    onChange()
  }

  #isOver() {
    return this.current.state === 'uploaded' || this.current.state === 'cancelled'
  }

  /** Soon; more often than once per picture would be work for nobody. */
  #draw() {
    if (this.#frame !== 0 || this.#isOver()) return
    this.#frame = requestAnimationFrame(() => this.#show())
  }

  #show() {
    this.#frame = 0
    this.row.show(viewOfActive(this.current, this.#retryAt, Date.now()))
    this.#parts.onChange()
    // Counts the seconds down.
    if (this.current.retry) setTimeout(() => this.#draw(), 1000)
  }
}

/** What to say if the server did not hear that an upload was given up. */
export function notRemoved(name: string, error: unknown): string {
  return `The server still has a part of "${name}", and removes it when that expires. ${sentenceOf(error)}`
}
