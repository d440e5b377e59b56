import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { locate } from './requirements.ts'

/** Nothing that would talk to anyone but the server under test. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export type ContextOptions = NonNullable<
  Parameters<typeof chromium.launchPersistentContext>[1]
>

/** A headless Chromium of this machine with a profile of its own, which `close` removes. */
export async function openBrowser(options: ContextOptions = {}): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'carcosa-browser-'))
  const executablePath = locate('chromium')
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args,
    ...options,
  })
  context.setDefaultTimeout(20_000)
  context.once('close', () => rmSync(profile, { recursive: true, force: true }))
  return context
}
