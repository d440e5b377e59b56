import { join } from 'node:path'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { build } from 'vite'

const config = join(import.meta.dirname, '../../client/page/vite.config.ts')

/** Builds the demo page from its sources as they are now. */
export async function buildPage(): Promise<void> {
  await build({ configFile: config, logLevel: 'warn' })
}

/** The demo page in a tab, and how a test works with it. */
export interface DemoPage {
  readonly page: Page
  /** Every upload request of the page so far: method, path, and the offset of a `PATCH`. */
  readonly sent: readonly SentRequest[]
  /** What went wrong in the page: exceptions and violations of its security policy. */
  readonly problems: readonly string[]
  /** Chooses files through the file chooser that `button` opens. */
  choose(paths: string | string[], button?: string): Promise<void>
  /** Drops files as the operating system does, so that the browser makes handles for them. */
  drop(paths: string[]): Promise<void>
  /** Bytes per second that leave the browser from now on; -1 for no limit. */
  limit(bytesPerSecond: number): Promise<void>
}

export interface SentRequest {
  readonly method: string
  readonly path: string
  readonly offset: number | null
}

export interface DemoPageOptions {
  /**
   * Takes away the File System Access API, so that the page behaves as in Firefox and
   * Safari, and asks with a file chooser that a test can answer. Default true.
   */
  withoutHandles?: boolean
}

export async function openPage(
  context: BrowserContext,
  url: string,
  { withoutHandles = true }: DemoPageOptions = {},
): Promise<DemoPage> {
  const page = await context.newPage()
  const sent: SentRequest[] = []
  const problems: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/uploads/')) sent.push(read(request))
  })
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text())
  })
  if (withoutHandles) await page.addInitScript(removeHandles)
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  page.setDefaultTimeout(15_000)
  await page.goto(url)
  return {
    page,
    sent,
    problems,
    async choose(paths, button = 'Choose files') {
      const chooser = page.waitForEvent('filechooser')
      await page.getByRole('button', { name: button }).click()
      await (await chooser).setFiles(paths)
    },
    async drop(files) {
      const data = { items: [], files, dragOperationsMask: 1 }
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await session.send('Input.dispatchDragEvent', { type, x: 200, y: 400, data })
      }
    },
    async limit(bytesPerSecond) {
      await session.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: bytesPerSecond,
      })
    },
  }
}

function read(request: Request): SentRequest {
  const offset = request.headers()['upload-offset']
  return {
    method: request.method(),
    path: new URL(request.url()).pathname,
    offset: offset === undefined ? null : Number(offset),
  }
}

function removeHandles() {
  Reflect.deleteProperty(window, 'showOpenFilePicker')
  Reflect.deleteProperty(DataTransferItem.prototype, 'getAsFileSystemHandle')
}
