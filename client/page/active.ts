import type { FileUpload } from '../file-upload.ts'
import type { Upload } from '../upload.ts'
import type { Board } from './board.ts'
import { dropHandle } from './handles.ts'
import type { Row } from './row.ts'
import { remembered } from './server.ts'
import { type ActionName, sentenceOf, viewOfActive } from './view.ts'

/** A file that this tab uploads, from the moment it is chosen until it is done or given up. */
export interface Active {
  readonly key: string
  readonly row: Row
  readonly upload: FileUpload<null>
  act(name: ActionName): void
}

export interface ActiveParts {
  readonly key: string
  readonly row: Row
  readonly upload: FileUpload<null>
  readonly board: Board
  /** Called once, when the file is uploaded or cancelled. */
  onEnd(active: Active): void
  /** Called whenever anything changed. */
  onChange(): void
}

/** Shows `upload` in its row and lets the row steer it. */
export function activate(batch: Upload<null>, parts: ActiveParts): Active {
  const { key, row, upload, board } = parts
  const active: Active = { key, row, upload, act }
  let retryAt = 0
  let frame = 0
  let last = upload.current.state

  function show() {
    frame = 0
    row.show(viewOfActive(upload.current, retryAt, Date.now()))
    parts.onChange()
    // Counts the seconds down.
    if (upload.current.retry) setTimeout(draw, 1000)
  }

  function draw() {
    // More than once per picture would be work for nobody; a hidden tab draws none.
    if (frame === 0 && !isOver()) frame = requestAnimationFrame(show)
  }

  function isOver() {
    return ['uploaded', 'cancelled'].includes(upload.current.state)
  }

  const unsubscribe = batch.subscribe((event) => {
    if (event.file !== upload) return
    if (event.type === 'retry') retryAt = Date.now() + event.retry.delay
    if (event.type === 'restart') board.announce(`${upload.current.name} begins anew.`)
    if (event.type === 'state' && upload.current.state !== last) turn()
    draw()
  })

  function turn() {
    last = upload.current.state
    const { name, error } = upload.current
    if (last === 'failed') board.announce(`${name} failed. ${sentenceOf(error)}`)
    if (last === 'paused') board.announce(`${name} is paused.`)
    if (!isOver()) return
    cancelAnimationFrame(frame)
    unsubscribe()
    void dropHandle(key)
    parts.onEnd(active)
    parts.onChange()
  }

  function act(name: ActionName) {
    if (name === 'pause') {
      upload.pause()
      void remembered.setPaused(key, true)
    } else if (name === 'cancel') {
      upload
        .cancel()
        .catch((error) => board.notice(notRemoved(upload.current.name, error)))
    } else {
      // From a wait between two tries too, which only a paused file can leave.
      if (name === 'retry') upload.pause()
      upload.resume()
      void remembered.setPaused(key, false)
    }
  }

  show()
  return active
}

/** What to say if the server did not hear that an upload was given up. */
export function notRemoved(name: string, error: unknown): string {
  return `The server still has a part of "${name}", and removes it when that expires. ${sentenceOf(error)}`
}
