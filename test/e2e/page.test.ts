import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openBrowser } from '../support/browser.ts'
import { type RunningServer, startServer } from '../support/command.ts'
import { faintTexts } from '../support/contrast.ts'
import { buildPage, type DemoPage, openPage } from '../support/page.ts'
import {
  ask,
  creations,
  download,
  linkOf,
  makeFile,
  offsetOf,
  offsets,
  press,
  received,
  remembered,
  row,
  until,
} from '../support/page-steps.ts'
import { requires } from '../support/requirements.ts'

interface Context {
  server: RunningServer
  browser: Browser
  /** What one person has: tabs that share a storage. */
  profile: BrowserContext
  demo: DemoPage
  /** A directory for the files to upload. */
  directory: string
}

const MiB = 1024 * 1024
/** Slow enough to act in the middle, fast enough not to wait for. */
const slow = 2 * MiB

const test = requires('chromium', suite<Context>('the demo page in a browser'))

test.before(async (context) => {
  await buildPage()
  context.server = await startServer()
  context.browser = await openBrowser()
  context.directory = mkdtempSync(join(tmpdir(), 'carcosa-page-'))
})

test.before.each(async (context) => {
  context.profile = await context.browser.newContext()
  context.demo = await openPage(context.profile, context.server.url)
})

test.after.each(async ({ profile, demo }) => {
  await profile.close()
  assert.equal(demo.problems, [])
})

test.after(async ({ server, browser, directory }) => {
  await browser.close()
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('uploads a file, shows how far it is, pauses, resumes, and links to the same bytes', async (context) => {
  const { demo } = context
  const { page } = demo
  const file = makeFile(context, 'film.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'film.bin', 0.1)
  assert.match(
    (await row(demo, 'film.bin').textContent()) ?? '',
    /[KM]B of 6\.00.MB\s· \d+.%/,
  )
  assert.match(await page.title(), /^\d+.% · Carcosa$/)

  await press(demo, 'Pause', 'film.bin')
  await row(demo, 'film.bin').getByText('Paused').waitFor()
  const [upload] = await remembered(demo)
  const paused = await offsetOf(upload)
  await page.waitForTimeout(600)
  assert.is(await offsetOf(upload), paused)
  assert.ok(paused > 0 && paused < file.bytes.length)

  await demo.limit(-1)
  await press(demo, 'Resume', 'film.bin')
  assert.ok(file.bytes.equals(await download(demo, 'film.bin')))
  assert.match((await row(demo, 'film.bin').textContent()) ?? '', file.sha256)
  assert.is(demo.sent.filter(({ method }) => method === 'POST').length, 2) // prepare, create
  assert.equal(offsets(demo).at(-1), paused)
  assert.equal(await remembered(demo), [])
})

test('goes on after a reload where the server stands, once the same file is chosen', async (context) => {
  const { demo } = context
  const { page } = demo
  const file = makeFile(context, 'talk.bin', 6 * MiB)
  const other = makeFile(context, 'other.bin', 1 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'talk.bin', 0.2)
  await page.reload()
  await demo.limit(-1)
  await row(demo, 'talk.bin').getByText('Choose the same file again').waitFor()
  const [upload] = await remembered(demo)
  const offset = await offsetOf(upload)
  assert.ok(offset > MiB)
  const before = demo.sent.length

  await demo.choose(other.path, 'Choose file: talk.bin')
  const refusal = row(demo, 'talk.bin').getByText('is another file')
  assert.match(
    (await refusal.textContent()) ?? '',
    /^"other\.bin" \(1\.00.MB\) is another file/,
  )

  await demo.choose(file.path, 'Choose file: talk.bin')
  assert.ok(file.bytes.equals(await download(demo, 'talk.bin')))
  const after = demo.sent.slice(before).filter(({ method }) => method !== 'GET')
  assert.equal(
    after.map(({ method }) => method),
    ['HEAD', 'PATCH'],
  )
  assert.is(after[1]?.offset, offset)
})

test('goes on by itself after a reload where the browser keeps a handle of the file', async (context) => {
  const demo = await openPage(context.profile, context.server.url, {
    withoutHandles: false,
  })
  const { page } = demo
  const file = makeFile(context, 'kept.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.drop([file.path])
  await received(demo, 'kept.bin', 0.2)
  await page.reload()
  await demo.limit(-1)
  const goOn = page.getByRole('button', { name: 'Continue: kept.bin' })
  const link = row(demo, 'kept.bin').getByRole('link', { name: 'Open' })
  // Whether a reload keeps the permission is up to the browser; if not, one click asks.
  await goOn.or(link).first().waitFor()
  // It may be gone again before it is clicked: then the page went on by itself after all.
  const asked = await goOn.isVisible()
  if (asked) await goOn.click({ timeout: 3_000 }).catch(() => link.waitFor())
  assert.ok(file.bytes.equals(await download(demo, 'kept.bin')))
  assert.is(creations(demo), 1)
  assert.ok((offsets(demo).at(-1) ?? 0) > MiB)
})

test('leaves alone what another tab is uploading', async (context) => {
  const { demo, profile, server } = context
  const file = makeFile(context, 'tabs.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'tabs.bin', 0.1)
  const second = await openPage(profile, server.url)
  await second.page.getByText('Any kind of file').waitFor()
  assert.is(await row(second, 'tabs.bin').count(), 0)
  await second.choose(file.path)
  await second.page.getByText('"tabs.bin" is being uploaded in another tab.').waitFor()
  assert.equal(second.sent, [])
  await demo.limit(-1)
  assert.ok(file.bytes.equals(await download(demo, 'tabs.bin')))
})

test('removes from the server what is cancelled', async (context) => {
  const { demo } = context
  const file = makeFile(context, 'mistake.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'mistake.bin', 0.1)
  const [upload] = await remembered(demo)
  await press(demo, 'Cancel', 'mistake.bin')
  await row(demo, 'mistake.bin').waitFor({ state: 'detached' })
  await until(async () => (await ask(upload, 'HEAD')).status === 410)
  assert.equal(await remembered(demo), [])
})

test('removes an upload of an earlier visit that is cancelled', async (context) => {
  const { demo } = context
  const file = makeFile(context, 'earlier.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'earlier.bin', 0.1)
  const [upload] = await remembered(demo)
  await demo.page.reload()
  await press(demo, 'Cancel', 'earlier.bin')
  await row(demo, 'earlier.bin').waitFor({ state: 'detached' })
  await until(async () => (await ask(upload, 'HEAD')).status === 410)
  assert.equal(await remembered(demo), [])
})

test('shows the sentence of the server for a file that it refuses, and sends none of it', async (context) => {
  const { demo, directory } = context
  const path = join(directory, 'huge.bin')
  writeFileSync(path, '')
  truncateSync(path, 6 * 1024 * MiB)
  await demo.choose([path, makeFile(context, 'small.txt', 10).path])
  const refused = row(demo, 'huge.bin')
  await refused.getByText('at most 5 GB').waitFor()
  assert.match((await refused.textContent()) ?? '', /"huge\.bin" has 6 GB/)
  assert.is(await refused.getByRole('button', { name: 'Try again' }).count(), 0)
  // The other one of the batch is not stopped by it.
  await row(demo, 'small.txt').getByRole('link', { name: 'Open' }).waitFor()
  assert.is(creations(demo), 1)
  await press(demo, 'Remove', 'huge.bin')
  await refused.waitFor({ state: 'detached' })
})

test('goes on when the server was killed in the middle and is back', async (context) => {
  const { demo } = context
  const file = makeFile(context, 'survivor.bin', 6 * MiB)
  await demo.limit(slow)
  await demo.choose(file.path)
  await received(demo, 'survivor.bin', 0.3)
  context.server.child.kill('SIGKILL')
  await context.server.ended
  await row(demo, 'survivor.bin').getByText('The server does not answer.').waitFor()
  const { port } = new URL(context.server.url)
  context.server = await startServer(['--port', port], { cwd: context.server.cwd })
  await demo.limit(-1)
  assert.ok(file.bytes.equals(await download(demo, 'survivor.bin')))
  assert.is(creations(demo), 1)
  assert.ok((offsets(demo).at(-1) ?? 0) > MiB)
})

test('uploads two files at once, and steers them together', async (context) => {
  const { demo } = context
  const { page } = demo
  const one = makeFile(context, 'one.bin', 4 * MiB)
  const two = makeFile(context, 'two.bin', 4 * MiB)
  await demo.limit(slow)
  await demo.choose([one.path, two.path])
  await Promise.all([received(demo, 'one.bin', 0.05), received(demo, 'two.bin', 0.05)])
  await page.getByText(/^2 files on the way\s· /).waitFor()
  await page.getByRole('button', { name: 'Pause all' }).click()
  await page.getByText('2 paused').waitFor()
  await demo.limit(-1)
  await page.getByRole('button', { name: 'Resume all' }).click()
  assert.ok(one.bytes.equals(await download(demo, 'one.bin')))
  assert.ok(two.bytes.equals(await download(demo, 'two.bin')))

  await page.reload()
  await row(demo, 'two.bin').getByRole('link', { name: 'Open' }).waitFor()
  await page.getByRole('button', { name: 'Clear finished' }).click()
  assert.is(await page.locator('#board').isVisible(), false)
})

test('takes what is dropped and what is pasted', async ({ demo }) => {
  const { page } = demo
  await page.evaluate(() => {
    const transfer = (name: string) => {
      const data = new DataTransfer()
      data.items.add(new File([name], name, { type: 'text/plain' }))
      return data
    }
    const bubbles = { bubbles: true, cancelable: true }
    const drop = { ...bubbles, dataTransfer: transfer('dropped.txt') }
    document.body.dispatchEvent(new DragEvent('drop', drop))
    const paste = { ...bubbles, clipboardData: transfer('pasted.txt') }
    document.body.dispatchEvent(new ClipboardEvent('paste', paste))
  })
  assert.is(String(await download(demo, 'dropped.txt')), 'dropped.txt')
  assert.is(String(await download(demo, 'pasted.txt')), 'pasted.txt')
})

test('copies the link of a file that arrived', async (context) => {
  const { demo, profile } = context
  await profile.grantPermissions(['clipboard-read', 'clipboard-write'])
  await demo.choose(makeFile(context, 'note.txt', 100).path)
  await press(demo, 'Copy link', 'note.txt')
  await row(demo, 'note.txt').getByText('Copied').waitFor()
  const text = await demo.page.evaluate(() => navigator.clipboard.readText())
  assert.is(text, await linkOf(demo, 'note.txt'))
})

test('can be used with the keyboard alone, and tells what happens', async (context) => {
  const { demo } = context
  const { page } = demo
  await demo.limit(slow)
  await demo.choose(makeFile(context, 'keys.bin', 8 * MiB).path)
  await received(demo, 'keys.bin', 0.05)
  const pause = page.getByRole('button', { name: 'Pause: keys.bin' })
  await page.getByRole('button', { name: 'Choose a folder' }).focus()
  await page.keyboard.press('Tab')
  assert.ok(await pause.evaluate((button) => button === document.activeElement))
  const outline = await pause.evaluate((button) => getComputedStyle(button).outlineStyle)
  assert.is(outline, 'solid')
  await page.keyboard.press('Enter')
  // The button is another one now, and still has the focus.
  const resume = page.getByRole('button', { name: 'Resume: keys.bin' })
  await resume.waitFor()
  assert.ok(await resume.evaluate((button) => button === document.activeElement))
  assert.match((await page.getByRole('log').textContent()) ?? '', 'keys.bin is paused.')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await row(demo, 'keys.bin').waitFor({ state: 'detached' })
  const focused = await page.evaluate(() => document.activeElement?.id)
  assert.is(focused, 'choose')
})

test('fits narrow and wide windows, and is legible in light and dark', async (context) => {
  const { demo, directory } = context
  const { page } = demo
  const long = `${'a very long name of a file without any point '.repeat(3)}.mov`
  await demo.choose([makeFile(context, 'done.txt', 10).path])
  await row(demo, 'done.txt').getByRole('link', { name: 'Open' }).waitFor()
  await demo.limit(slow)
  await demo.choose(makeFile(context, long, 8 * MiB).path)
  await received(demo, long, 0.05)
  await press(demo, 'Pause', long)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({
        path: join(directory, `${colorScheme}-${width}.png`),
        fullPage: true,
      })
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      assert.is(overflow, 0, `${colorScheme}, ${width} px wide`)
      assert.equal(await page.evaluate(faintTexts), [], `${colorScheme}, ${width} px`)
    }
  }
})

test.run()
