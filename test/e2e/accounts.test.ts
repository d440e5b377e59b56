/** `carcosa start --accounts`, as somebody uses it who has just found it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openBrowser } from '../support/browser.ts'
import { directory, type RunningServer, startServer } from '../support/command.ts'
import { faintTexts } from '../support/contrast.ts'
import { buildPage, openPage } from '../support/page.ts'
import { linkOf, makeFile } from '../support/page-steps.ts'
import { requires } from '../support/requirements.ts'

interface Context {
  server: RunningServer
  browser: Browser
  profile: BrowserContext
  page: Page
  /** What the pages did that they should not. */
  problems: string[]
  /** A directory for the files to upload. */
  directory: string
}

const test = requires('chromium', suite<Context>('carcosa start --accounts in a browser'))
const owner = { email: 'ann@example.com', password: 'correct horse battery' }

test.before(async (context) => {
  await buildPage()
  context.server = await startServer(['--accounts', 'open'])
  context.browser = await openBrowser()
  context.directory = mkdtempSync(join(tmpdir(), 'carcosa-accounts-'))
})
test.before.each(async (context) => {
  context.profile = await context.browser.newContext()
  context.page = await context.profile.newPage()
  context.page.setDefaultTimeout(15_000)
  context.problems = []
  const { page, problems } = context
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text())
  })
})
test.after.each(async ({ profile, problems }) => {
  await profile.close()
  assert.equal(problems, [])
})
test.after(async ({ server, browser, directory }) => {
  await browser.close()
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('the link of the first run makes an owner, who signs out and in again', async ({
  server,
  page,
  profile,
}) => {
  const link = await linkIn(server, 'login')
  await page.goto(link)
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
  assert.is(new URL(page.url()).hash, '', 'the secret is not in the address')
  await fill(page, { 'E-mail': owner.email, 'New password': owner.password })
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByText('ann@example.com').waitFor()
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Default' })
    .getByText('owner')
    .waitFor()

  const [cookie] = await profile.cookies()
  const { name, httpOnly, sameSite, path } = cookie ?? {}
  const expected = { name: 'carcosa_session', httpOnly: true, sameSite: 'Lax', path: '/' }
  assert.equal({ name, httpOnly, sameSite, path }, expected)
  assert.is(await page.evaluate(() => document.cookie), '')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await profile.cookies(), [])
  await page.goto(`${server.url}/auth/account`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()

  await signIn(page, { ...owner, password: 'wrong horse battery' })
  await page.getByRole('alert').getByText('do not fit').waitFor()
  await signIn(page, owner)
  await page.getByText('ann@example.com').waitFor()

  await page.goto(link)
  await page.getByRole('heading', { name: 'does not work' }).waitFor()
})

test('an upload on the demo page is of who is signed in', async (context) => {
  const { server, page, profile } = context
  await page.goto(`${server.url}/auth/sign-in?next=/`)
  await signIn(page, owner)
  await page.getByRole('heading', { name: 'Uploads that arrive' }).waitFor()
  const demo = await openPage(profile, server.url)
  await demo.choose(makeFile(context, 'mine.bin', 300_000).path)
  const id = new URL((await linkOf(demo, 'mine.bin')) ?? '').pathname.split('/').at(-1)
  const file = await demo.page.evaluate(
    async (url) => (await fetch(url)).json(),
    `/api/v1/files/${id}`,
  )
  const me = await demo.page.evaluate(async () => (await fetch('/auth/session')).json())
  assert.is(file.ownerId, me.user.id)
  assert.equal(demo.problems, [])
})

test('a forgotten password is chosen anew by a mail, and changed by who knows it', async ({
  server,
  page,
}) => {
  await page.goto(`${server.url}/auth/sign-in`)
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await fill(page, { 'E-mail': owner.email })
  await page.getByRole('button', { name: 'Send a link' }).click()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  const link = await linkIn(server, 'reset-password')
  const second = { ...owner, password: 'another horse battery' }
  await page.goto(link)
  await fill(page, { 'New password': second.password })
  await page.getByRole('button', { name: 'Save the password' }).click()
  await page.getByRole('heading', { name: 'Your password is saved' }).waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signIn(page, second)

  await page.getByRole('link', { name: 'Change the password' }).click()
  await fill(page, {
    'Current password': 'a wrong guess',
    'New password': owner.password,
  })
  await page.getByRole('button', { name: 'Save the password' }).click()
  await page.getByRole('alert').getByText(/./).waitFor()
  await fill(page, { 'Current password': second.password })
  await page.getByRole('button', { name: 'Save the password' }).click()
  await page.getByRole('heading', { name: 'Your password is saved' }).waitFor()

  await page.goto(link)
  await fill(page, { 'New password': second.password })
  await page.getByRole('button', { name: 'Save the password' }).click()
  await page.getByRole('alert').getByText('used already').waitFor()
})

test('somebody signs up, is invited, and joins', async ({ server, page, browser }) => {
  const bob = { email: 'bob@example.com', password: 'bob horse battery' }
  await page.goto(`${server.url}/auth/register`)
  await fill(page, { Name: 'Bob', 'E-mail': bob.email, 'New password': bob.password })
  await page.getByRole('button', { name: 'Make an account' }).click()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  await page.goto(await linkIn(server, 'verify-email'))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signIn(page, bob)
  await page.getByText('In no organization yet').waitFor()

  const other = await browser.newContext()
  const boss = await other.newPage()
  await boss.goto(`${server.url}/auth/sign-in`)
  await signIn(boss, owner)
  await boss.getByText('ann@example.com').waitFor()
  const status = await boss.evaluate(async (email) => {
    const { organizations } = await (await fetch('/auth/session')).json()
    const answer = await fetch(
      `/api/v1/organizations/${organizations[0].id}/invitations`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ email, role: 'developer' }),
      },
    )
    return answer.status
  }, bob.email)
  assert.is(status, 201)
  await other.close()

  await page.reload()
  await page.getByText('Invited to Default').waitFor()
  await page.goto(await linkIn(server, 'invitation'))
  await page.getByText('You are signed in as bob@example.com').waitFor()
  await page.getByRole('button', { name: 'Join' }).click()
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Default' })
    .getByText('developer')
    .waitFor()
})

const pages = 'sign-in register forgot login reset-password verify-email invitation'
for (const name of pages.split(' ')) {
  test(`the page ${name} can be read, used by keyboard, and is as wide as a telephone`, async ({
    server,
    page,
  }) => {
    await page.setViewportSize({ width: 320, height: 700 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // The slash leads to the page as well.
      await page.goto(`${server.url}/auth/${name}/?theme=${colorScheme}`)
      assert.is(new URL(page.url()).pathname, `/auth/${name}`)
      assert.equal(await page.evaluate(faintTexts), [], colorScheme)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.is(width, 320)
    }
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll('input')].filter(
        (input) => !input.labels?.length || !input.autocomplete,
      ),
    )
    assert.is(unnamed.length, 0)
  })
}

test('without JavaScript a page says what it needs', async ({ server, browser }) => {
  const plain = await browser.newContext({ javaScriptEnabled: false })
  const page = await plain.newPage()
  await page.goto(`${server.url}/auth/sign-in`)
  await page.getByText('This page needs JavaScript').waitFor()
  assert.is(await page.getByRole('button').count(), 0)
  await plain.close()
})

test('until the owner has chosen a password each start prints another link', async ({
  page,
}) => {
  const cwd = directory()
  const first = await startServer(['--accounts'], { cwd })
  const [link] = await first.printed(/http:\S+login#\S+/)
  await first.stop()
  const second = await startServer(['--accounts'], { cwd })
  const [another] = await second.printed(/http:\S+login#\S+/)
  assert.is.not(new URL(another).hash, new URL(link).hash)
  await page.goto(another)
  await fill(page, { 'E-mail': owner.email, 'New password': owner.password })
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByText('ann@example.com').waitFor()
  assert.match((await second.stop()).out, '/auth/sign-in')
  const third = await startServer(['--accounts'], { cwd })
  assert.not.match((await third.stop()).out, '/auth/login#')
})

test.run()

async function signIn(page: Page, { email, password }: typeof owner): Promise<void> {
  await fill(page, { 'E-mail': email, Password: password })
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(fields))
    await page.getByLabel(label, { exact: true }).fill(value)
}

/** The link to a page that the server printed, to the terminal or as a mail. */
async function linkIn(server: RunningServer, page: string): Promise<string> {
  const [link] = await server.printed(new RegExp(`http:\\S+/auth/${page}#\\S+`))
  return link
}
