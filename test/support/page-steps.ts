import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { DemoPage } from './page.ts'

interface MadeFile {
  path: string
  bytes: Buffer
  sha256: string
}

export function makeFile(
  { directory }: { directory: string },
  name: string,
  size: number,
): MadeFile {
  const bytes = randomBytes(size)
  const path = join(directory, name)
  writeFileSync(path, bytes)
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

export function row({ page }: DemoPage, name: string): Locator {
  return page.locator('li', { has: page.locator('.name', { hasText: name }) })
}

export function press({ page }: DemoPage, label: string, name: string): Promise<void> {
  return page.getByRole('button', { name: `${label}: ${name}` }).click()
}

/** Waits until the progress bar of a file is at `fraction` or beyond. */
export async function received(demo: DemoPage, name: string, fraction: number) {
  const bar = demo.page.getByRole('progressbar', { name: `Progress of ${name}` })
  await bar.waitFor()
  await until(
    async () => (await bar.evaluate((e) => (e as HTMLProgressElement).value)) > fraction,
  )
}

export async function linkOf(demo: DemoPage, name: string): Promise<string> {
  const link = row(demo, name).getByRole('link', { name: 'Open' })
  return (await link.getAttribute('href')) ?? ''
}

export async function download(demo: DemoPage, name: string): Promise<Buffer> {
  const response = await fetch(await linkOf(demo, name))
  assert.is(response.status, 200)
  return Buffer.from(await response.arrayBuffer())
}

interface StoredUpload {
  url: string
  ticket: string
}

/** What the browser keeps of unfinished uploads. */
export function remembered({ page }: DemoPage): Promise<StoredUpload[]> {
  return page.evaluate(() =>
    Object.entries(localStorage)
      .filter(([key]) => key.startsWith('carcosa:upload:'))
      .map(([, value]) => JSON.parse(value)),
  )
}

/** Asks the server, not the page. */
export function ask(upload: StoredUpload | undefined, method = 'GET'): Promise<Response> {
  assert.ok(upload, 'the browser remembers the upload')
  const headers = { 'upload-ticket': upload.ticket, 'tus-resumable': '1.0.0' }
  return fetch(upload.url, { method, headers })
}

export async function offsetOf(upload: StoredUpload | undefined): Promise<number> {
  const { offset } = (await (await ask(upload)).json()) as { offset: number }
  return offset
}

/** The offsets at which the page began to send, in order. */
export function offsets({ sent }: DemoPage): number[] {
  return sent.map(({ offset }) => offset).filter((offset) => offset !== null)
}

export function creations({ sent }: DemoPage): number {
  return sent.filter(({ method, path }) => method === 'POST' && !path.endsWith('prepare'))
    .length
}

export async function until(condition: () => Promise<boolean>) {
  const end = Date.now() + 15_000
  while (!(await condition())) {
    assert.ok(Date.now() < end, 'it came to pass within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
