import { type Browser, chromium } from 'playwright-core'
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

/**
 * The Chromium of this machine, headless, with an empty profile that `close` removes. Each
 * of its contexts remembers nothing of the others.
 */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: locate('chromium'), headless: true, args })
}
