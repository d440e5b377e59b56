import { createMeter } from '../progress.ts'
import { byId, setText } from './dom.ts'
import { count, formatBytes, formatDuration, formatFraction } from './format.ts'
import type { Uploads } from './uploads.ts'

/** Shows, above the list and in the title, how all files together are doing. */
export function createSummary(): (uploads: Uploads) => void {
  const board = byId('board', HTMLElement)
  const text = byId('summary', HTMLParagraphElement)
  const buttons = {
    continueAll: byId('continue-all', HTMLButtonElement),
    pauseAll: byId('pause-all', HTMLButtonElement),
    resumeAll: byId('resume-all', HTMLButtonElement),
    clear: byId('clear', HTMLButtonElement),
  }
  const meter = createMeter()
  const title = document.title

  return ({ active, waiting, finished }) => {
    const files = [...active.values()].map(({ upload }) => upload.current)
    const moving = files.filter(
      ({ state }) => state === 'uploading' || state === 'pending',
    )
    const paused = files.filter(({ state }) => state === 'paused')
    const sent = moving.reduce((sum, { progress }) => sum + progress.sent, 0)
    const size = moving.reduce((sum, file) => sum + file.size, 0)
    if (moving.length === 0) meter.reset()
    const { fraction, rate, eta } = meter.update(sent, size)

    const isEmpty = files.length + waiting.size + finished.size === 0
    board.hidden = isEmpty
    document.documentElement.classList.toggle('busy', !isEmpty)
    document.title = moving.length > 0 ? `${formatFraction(fraction)} · ${title}` : title
    const resumable = [...waiting.values()].filter(({ hasHandle }) => hasHandle)
    buttons.continueAll.hidden = resumable.length < 2
    buttons.pauseAll.hidden = moving.length < 2
    buttons.resumeAll.hidden = moving.length > 0 || paused.length < 2
    buttons.clear.hidden = finished.size < 2

    const parts =
      moving.length > 0
        ? [
            `${count(moving.length, 'file')} on the way`,
            `${formatBytes(sent)} of ${formatBytes(size)}`,
            rate !== null && `${formatBytes(rate)}/s`,
            eta !== null && `${formatDuration(eta)} left`,
          ]
        : [
            paused.length > 0 && `${paused.length} paused`,
            waiting.size > 0 && `${waiting.size} unfinished`,
            finished.size > 0 && `${count(finished.size, 'file')} arrived`,
          ]
    setText(text, parts.filter((part) => part).join(' · '))
  }
}
