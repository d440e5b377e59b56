import { ActiveFile } from './active.ts'
import { ArrivedFile } from './arrived.ts'
import type { Board } from './board.ts'
import { type FinishedUpload, listFinished } from './finished.ts'
import { keepHandle } from './handles.ts'
import type { Picked } from './picked.ts'
import type { RememberedUpload } from './remembered.ts'
import type { Row } from './row.ts'
import { client, keyOf, limits, remembered, route } from './server.ts'
import { claim, claimed } from './tabs.ts'
import { WaitingFile } from './waiting.ts'

/** A file that is this tab's business. */
interface Claimed extends Picked {
  readonly key: string
  release(): void
}

/** Pictures up to this size are shown small beside their name. */
const largestPreview = 20 * 1024 ** 2

/** All files of this page: on their way, waiting for their file, and arrived. */
export class Uploads {
  /** By key, as are those that wait. */
  readonly active = new Map<string, ActiveFile>()
  readonly waiting = new Map<string, WaitingFile>()
  readonly arrived = new Set<ArrivedFile>()
  readonly #board: Board
  readonly #onChange: () => void

  constructor(board: Board, onChange: () => void) {
    this.#board = board
    this.#onChange = onChange
  }

  /** Uploads what somebody chose; a file that was begun before goes on. */
  async add(picked: readonly Picked[]): Promise<void> {
    this.#board.notice('')
    const files: Claimed[] = []
    for (const one of picked) {
      const file = await this.#claim(one)
      if (file) files.push(file)
    }
    if (files.length === 0) return
    const { maxFileCount } = await limits()
    this.#board.group(() => {
      for (let i = 0; i < files.length; i += maxFileCount) {
        this.#begin(files.slice(i, i + maxFileCount))
      }
    })
    this.#onChange()
  }

  /** Lists what was begun or arrived before this page was loaded. */
  async restore(): Promise<void> {
    for (const upload of listFinished()) this.#restoreArrived(upload)
    const busy = await claimed()
    const uploads = (await remembered.uploads()).filter(({ key }) => !busy.has(key))
    // Each goes above the one before, so that in the end the first is at the top.
    for (const upload of uploads.sort((a, b) => b.createdAt - a.createdAt)) {
      this.#restoreWaiting(upload)
    }
    this.#onChange()
  }

  clearArrived(): void {
    for (const file of [...this.arrived]) file.remove()
  }

  /** Null for a file that is on its way already, here or in another tab. */
  async #claim(one: Picked): Promise<Claimed | null> {
    const key = keyOf(one.file)
    const known = this.active.get(key)
    if (known) {
      known.resume()
      known.row.point()
      return null
    }
    const release = await claim(key)
    if (release) return { ...one, key, release }
    this.#board.notice(`"${one.file.name}" is being uploaded in another tab.`)
    return null
  }

  #begin(files: readonly Claimed[]) {
    const list = files.map(({ file }) => file)
    const batch = client.create(route, list)
    for (const [i, one] of files.entries()) {
      const upload = batch.files[i]
      if (!upload) continue
      const { key, file, handle } = one
      if (handle) void keepHandle(key, handle)
      const row = this.#rowOf(key, file)
      const onEnd = () => this.#onEnd(one, row)
      const parts = { key, row, batch, upload, board: this.#board, onEnd }
      this.active.set(key, new ActiveFile({ ...parts, onChange: this.#onChange }))
    }
  }

  /** The row that waited for this file, or a new one. */
  #rowOf(key: string, file: File): Row {
    const known = this.waiting.get(key)
    this.waiting.delete(key)
    const row = known?.row ?? this.#board.add(file.name)
    if (file.type.startsWith('image/') && file.size <= largestPreview) row.preview(file)
    return row
  }

  #onEnd({ key, file, release }: Claimed, row: Row) {
    const result = this.active.get(key)?.current.result
    this.active.delete(key)
    release()
    if (!result) {
      this.#board.announce(`${file.name} is cancelled.`)
      row.remove()
      return
    }
    this.#board.announce(`${file.name} has arrived.`)
    const { id, name, size, type, url, sha256 } = result
    void this.#listArrived({ id, name, size, type, url, sha256 }, row).keep()
  }

  #listArrived(upload: FinishedUpload, row: Row): ArrivedFile {
    const onRemove = () => {
      this.arrived.delete(file)
      this.#onChange()
    }
    const parts = { row, board: this.#board, onRemove }
    const file: ArrivedFile = new ArrivedFile(upload, parts)
    this.arrived.add(file)
    return file
  }

  #restoreArrived(upload: FinishedUpload) {
    const row = this.#board.add(upload.name, 'bottom')
    void this.#listArrived(upload, row).check()
  }

  #restoreWaiting(upload: RememberedUpload) {
    const { key, name } = upload
    const row = this.#board.add(name)
    const onFile = (picked: Picked) => void this.add([picked])
    const onEnd = (file: FinishedUpload | null) => {
      this.waiting.delete(key)
      if (file) void this.#listArrived(file, row).keep()
      else row.remove()
      this.#onChange()
    }
    const file = new WaitingFile({ upload, row, board: this.#board, onFile, onEnd })
    this.waiting.set(key, file)
    void file.look().then(this.#onChange)
  }
}
