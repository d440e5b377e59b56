import type { FileStatus } from '../file-upload.ts'
import { createMeter, type Progress } from '../progress.ts'
import { byId, setText } from './dom.ts'
import { count, formatBytes, formatDuration, formatFraction, join } from './format.ts'
import type { Uploads } from './uploads.ts'

/** How many files are in which condition. */
interface Counts {
  readonly moving: number
  /** Between two tries. */
  readonly stuck: number
  readonly paused: number
  readonly failed: number
  readonly waiting: number
  readonly arrived: number
}

/** Shows, above the list and in the title, how all files together are doing. */
export function createSummary(): (uploads: Uploads) => void {
  const board = byId('board', HTMLElement)
  const text = byId('summary', HTMLParagraphElement)
  const meter = createMeter()
  const title = document.title

  return (uploads) => {
    const files = [...uploads.active.values()].map(({ current }) => current)
    const counts = countFiles(files, uploads)
    const progress = total(files.filter(isMoving), meter)
    const isEmpty = files.length + counts.waiting + counts.arrived === 0
    board.hidden = isEmpty
    document.documentElement.classList.toggle('busy', !isEmpty)
    document.title =
      counts.moving > 0 ? `${formatFraction(progress.fraction)} · ${title}` : title
    setText(text, counts.moving > 0 ? describeMoving(counts, progress) : describe(counts))
    showButtons(counts, uploads)
  }
}

function countFiles(files: readonly FileStatus[], uploads: Uploads): Counts {
  return {
    moving: files.filter(isMoving).length,
    stuck: files.filter(({ retry }) => retry !== null).length,
    paused: files.filter(({ state }) => state === 'paused').length,
    failed: files.filter(({ state }) => state === 'failed').length,
    waiting: uploads.waiting.size,
    arrived: uploads.arrived.size,
  }
}

function isMoving({ state, retry }: FileStatus): boolean {
  return (state === 'uploading' || state === 'pending') && !retry
}

function total(
  files: readonly FileStatus[],
  meter: ReturnType<typeof createMeter>,
): Progress {
  if (files.length === 0) meter.reset()
  const sent = files.reduce((sum, { progress }) => sum + progress.sent, 0)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return meter.update(sent, size)
}

function describeMoving({ moving }: Counts, { sent, size, rate, eta }: Progress): string {
  return join(
    `${count(moving, 'file')} on the way`,
    `${formatBytes(sent)} of ${formatBytes(size)}`,
    rate && `${formatBytes(rate)}/s`,
    eta && `${formatDuration(eta)}\u00a0left`,
  )
}

function describe({ stuck, paused, failed, waiting, arrived }: Counts): string {
  return join(
    stuck && `${count(stuck, 'file')} waiting for the server`,
    paused && `${paused} paused`,
    failed && `${failed} failed`,
    waiting && `${waiting} unfinished`,
    arrived && `${count(arrived, 'file')} arrived`,
  )
}

function showButtons(counts: Counts, { waiting }: Uploads) {
  const resumable = [...waiting.values()].filter(({ hasHandle }) => hasHandle)
  const isIdle = counts.moving + counts.stuck === 0
  // One file is steered by its own buttons.
  byId('continue-all', HTMLButtonElement).hidden = resumable.length < 2
  byId('pause-all', HTMLButtonElement).hidden = counts.moving + counts.stuck < 2
  byId('resume-all', HTMLButtonElement).hidden = !isIdle || counts.paused < 2
  byId('clear', HTMLButtonElement).hidden = counts.arrived < 2
}
