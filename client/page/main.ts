import { formatSize } from '../../src/shared/sizes.ts'
import { createBoard } from './board.ts'
import { byId, copyBy } from './dom.ts'
import type { Picked } from './picked.ts'
import { choose, dropped, pasted } from './picking.ts'
import { base, limits, route } from './server.ts'
import { createSummary } from './summary.ts'
import { Uploads } from './uploads.ts'

const board = createBoard()
const summary = createSummary()
const uploads: Uploads = new Uploads(board, () => summary(uploads))

listenToButtons()
listenToDrops()
document.addEventListener('paste', (event) => add(pasted(event.clipboardData)))
showShellCommand()
void showLimits()
void uploads.restore()

function add(picked: readonly Picked[]) {
  if (picked.length > 0) void uploads.add(picked)
}

function listenToButtons() {
  const onClick = (id: string, act: () => void) =>
    byId(id, HTMLButtonElement).addEventListener('click', act)
  const chooseBy = async (id: string) => add(await choose(byId(id, HTMLInputElement)))
  onClick('choose', () => void chooseBy('files'))
  onClick('choose-folder', () => void chooseBy('folder'))
  onClick('clear', () => uploads.clearArrived())
  onClick('pause-all', () => {
    for (const one of uploads.active.values()) one.pause()
  })
  onClick('resume-all', () => {
    for (const one of uploads.active.values()) one.resume()
  })
  onClick('continue-all', async () => {
    // One after the other: a browser asks one question at a time.
    for (const one of [...uploads.waiting.values()]) await one.proceed()
  })
}

/** The whole window is the place to drop, so that nobody has to aim. */
function listenToDrops() {
  const root = document.documentElement
  const hasFiles = (event: DragEvent) =>
    event.dataTransfer?.types.includes('Files') === true
  let leaving = 0
  const over = (event: DragEvent) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy'
    clearTimeout(leaving)
    root.classList.add('over')
    // Comes many times a second while files are over the window, and then no more.
    leaving = window.setTimeout(() => root.classList.remove('over'), 400)
  }
  document.addEventListener('dragenter', over)
  document.addEventListener('dragover', over)
  document.addEventListener('drop', async (event) => {
    if (!event.dataTransfer || !hasFiles(event)) return
    event.preventDefault()
    root.classList.remove('over')
    const picked = await dropped(event.dataTransfer)
    if (picked.length === 0) board.notice('There is no file in what was dropped.')
    add(picked)
  })
}

function showShellCommand() {
  const to = base.href.replace(/\/$/, '')
  const command = `npx carcosa upload FILE --route ${route} --to ${to}`
  byId('command', HTMLElement).textContent = command
  const button = byId('copy-command', HTMLButtonElement)
  button.addEventListener('click', () => void copyBy(button, command))
}

async function showLimits() {
  const { maxFileSize } = await limits()
  if (maxFileSize === null) return
  const size = formatSize(maxFileSize).replace(' ', '\u00a0')
  byId('limits', HTMLElement).textContent = `Any kind of file, up to ${size}.`
}
