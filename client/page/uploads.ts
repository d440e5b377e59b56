import { type Active, activate } from './active.ts'
import type { Board } from './board.ts'
import { copyText } from './dom.ts'
import {
  dropFinished,
  type FinishedUpload,
  keepFinished,
  listFinished,
} from './finished.ts'
import { keepHandle } from './handles.ts'
import type { Picked } from './picking.ts'
import type { RememberedUpload } from './remembered.ts'
import type { Row } from './row.ts'
import {
  awaitDigest,
  client,
  isServed,
  keyOf,
  limits,
  remembered,
  route,
} from './server.ts'
import { claim, claimed } from './tabs.ts'
import { type Action, viewOfFinished } from './view.ts'
import { type Waiting, wait } from './waiting.ts'

/** All files of this page: on their way, waiting for their file, and arrived. */
export interface Uploads {
  readonly active: ReadonlyMap<string, Active>
  readonly waiting: ReadonlyMap<string, Waiting>
  readonly finished: ReadonlyMap<string, Row>
  /** Uploads what somebody chose; a file that was begun before goes on. */
  add(picked: readonly Picked[]): Promise<void>
  /** Lists what was begun or arrived before this page was loaded. */
  restore(): Promise<void>
  clearFinished(): void
}

/** A file that is this tab's business. */
interface Claimed extends Picked {
  readonly key: string
  release(): void
}

export function createUploads(board: Board, onChange: () => void): Uploads {
  const active = new Map<string, Active>()
  const waiting = new Map<string, Waiting>()
  const finished = new Map<string, Row>()

  async function add(picked: readonly Picked[]) {
    board.notice('')
    const files: Claimed[] = []
    for (const one of picked) {
      const file = await take(one)
      if (file) files.push(file)
    }
    if (files.length === 0) return
    const { maxFileCount } = await limits()
    board.group(() => {
      for (let i = 0; i < files.length; i += maxFileCount) {
        begin(files.slice(i, i + maxFileCount))
      }
    })
    onChange()
  }

  /** Null for a file that is on its way already, here or in another tab. */
  async function take(one: Picked): Promise<Claimed | null> {
    const key = keyOf(one.file)
    const known = active.get(key)
    if (known) {
      known.act('resume')
      known.row.point()
      return null
    }
    const release = await claim(key)
    if (release) return { ...one, key, release }
    board.notice(`"${one.file.name}" is being uploaded in another tab.`)
    return null
  }

  function begin(files: readonly Claimed[]) {
    const batch = client.create(
      route,
      files.map(({ file }) => file),
    )
    for (const [i, upload] of batch.files.entries()) {
      const claimed = files[i]
      if (!claimed) continue
      const { key, file, handle, release } = claimed
      if (handle) void keepHandle(key, handle)
      const row = rowOf(claimed)
      const onEnd = (one: Active) => {
        release()
        ended(one, file)
      }
      active.set(key, activate(batch, { key, row, upload, board, onEnd, onChange }))
    }
  }

  /** The row that waited for this file, or a new one. */
  function rowOf({ key, file }: Claimed): Row {
    const known = waiting.get(key)
    waiting.delete(key)
    const row = known?.row ?? board.add({ name: file.name, onAction: actOn(key) })
    if (file.type.startsWith('image/') && file.size < 20 * 1024 ** 2) row.preview(file)
    return row
  }

  /** What the buttons of a row that is not finished do. */
  function actOn(key: string) {
    return (name: Action['name'], button: HTMLButtonElement) => {
      if (name === 'copy' || name === 'remove') return actOnFinished(key, name, button)
      const one = active.get(key) ?? waiting.get(key)
      one?.act(name)
    }
  }

  function ended({ key, row, upload }: Active, file: File) {
    active.delete(key)
    const { name, result } = upload.current
    if (!result) {
      board.announce(`${name} is cancelled.`)
      row.remove()
      return
    }
    board.announce(`${name} has arrived.`)
    const { id, size, type, url, sha256 } = result
    arrived(key, { id, name: file.name, size, type, url, sha256 }, row)
  }

  const links = new Map<string, FinishedUpload>()

  function arrived(key: string, upload: FinishedUpload, row: Row) {
    row.show(viewOfFinished(upload))
    finished.set(key, row)
    links.set(key, upload)
    keepFinished(upload)
    if (!upload.sha256) void digest(key, upload, row)
  }

  async function digest(key: string, upload: FinishedUpload, row: Row) {
    const sha256 = await awaitDigest(upload.id).catch(() => null)
    if (sha256 && finished.get(key) === row) arrived(key, { ...upload, sha256 }, row)
  }

  async function actOnFinished(
    key: string,
    name: 'copy' | 'remove',
    button: HTMLElement,
  ) {
    const upload = links.get(key)
    if (!upload) return
    if (name === 'remove') return removeFinished(key)
    const copied = upload.url !== null && (await copyText(upload.url))
    button.textContent = copied ? 'Copied' : 'Not copied'
    board.announce(copied ? 'The link is copied.' : 'The link could not be copied.')
    setTimeout(() => {
      button.textContent = 'Copy link'
    }, 1600)
  }

  function removeFinished(key: string) {
    finished.get(key)?.remove()
    finished.delete(key)
    dropFinished(links.get(key)?.id ?? '')
    links.delete(key)
    onChange()
  }

  async function restore() {
    for (const upload of listFinished()) void restoreFinished(upload)
    const elsewhere = await claimed()
    for (const upload of await remembered.uploads()) {
      if (!elsewhere.has(upload.key)) await restoreWaiting(upload)
    }
  }

  async function restoreFinished(upload: FinishedUpload) {
    const key = upload.id
    const row = board.add({ name: upload.name, onAction: actOn(key) }, 'bottom')
    row.show(viewOfFinished(upload))
    finished.set(key, row)
    links.set(key, upload)
    onChange()
    if (upload.url && !(await isServed(upload.url))) removeFinished(key)
  }

  async function restoreWaiting(upload: RememberedUpload) {
    const { key } = upload
    const row = board.add({ name: upload.name, onAction: actOn(key) })
    const onEnd = (file: FinishedUpload | null) => {
      waiting.delete(key)
      if (file) arrived(key, file, row)
      else row.remove()
      onChange()
    }
    const onFile = (picked: Picked) => void add([picked])
    waiting.set(key, await wait({ upload, row, board, onFile, onEnd }))
    onChange()
  }

  function clearFinished() {
    for (const key of [...finished.keys()]) removeFinished(key)
  }

  return { active, waiting, finished, add, restore, clearFinished }
}
