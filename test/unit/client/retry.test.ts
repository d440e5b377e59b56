import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaClientError } from '../../../client/errors.ts'
import { backoff, persist, type RetryNotice, retryPolicy } from '../../../client/retry.ts'

const fast = { ...retryPolicy(), attempts: 3, minDelay: 1, maxDelay: 4 }
const passing = new CarcosaClientError('NETWORK', { retryable: true })
const final = new CarcosaClientError('FILE_TOO_LARGE')

function plan() {
  const controller = new AbortController()
  return { policy: fast, signal: controller.signal, controller }
}

/** Fails with the errors given, one after the other, and then succeeds. */
function failing(...errors: unknown[]) {
  const tries = { count: 0 }
  const work = async () => {
    const error = errors[tries.count++]
    if (error) throw error
    return 'done'
  }
  return { tries, work }
}

const test = suite('persist')

test('tries again what may pass', async () => {
  const { work, tries } = failing(passing, passing)
  assert.is(await persist(work, plan()), 'done')
  assert.is(tries.count, 3)
})

test('does not try again what will not', async () => {
  const { work, tries } = failing(final)
  assert.is(await persist(work, plan()).catch((error) => error), final)
  assert.is(tries.count, 1)
})

test('gives up with the last error after so many failures in a row', async () => {
  const { work, tries } = failing(passing, passing, passing, passing, passing)
  assert.is(await persist(work, plan()).catch((error) => error), passing)
  assert.is(tries.count, 4)
})

test('progress begins the count anew', async () => {
  const { work, tries } = failing(...Array(20).fill(passing))
  assert.is(await persist(work, { ...plan(), progressed: () => true }), 'done')
  assert.is(tries.count, 21)
})

test('a rate limit that says when it ends is no failure, however often', async () => {
  const limited = new CarcosaClientError('RATE_LIMITED', {
    retryable: true,
    retryAfter: 1,
  })
  const notices: RetryNotice[] = []
  const { work, tries } = failing(...Array(20).fill(limited), passing, limited, passing)
  const onRetry = (notice: RetryNotice) => notices.push(notice)
  assert.is(await persist(work, { ...plan(), onRetry }), 'done')
  assert.is(tries.count, 24)
  assert.equal(
    notices.slice(-4).map(({ failures }) => failures),
    [0, 1, 1, 2],
  )
  const always = failing(...Array(10).fill(passing))
  assert.is(await persist(always.work, plan()).catch((error) => error), passing)
})

test('waits at least as long as Retry-After says', async () => {
  const notices: RetryNotice[] = []
  const { work } = failing(
    new CarcosaClientError('HTTP_ERROR', { retryable: true, retryAfter: 50 }),
  )
  const begun = Date.now()
  await persist(work, { ...plan(), onRetry: (notice) => notices.push(notice) })
  assert.is(notices[0]?.delay, 50)
  assert.is(notices[0]?.failures, 1)
  assert.ok(Date.now() - begun >= 49)
})

test('a signal ends the wait with its reason', async () => {
  const { controller, ...rest } = plan()
  const { work } = failing(
    new CarcosaClientError('HTTP_ERROR', { retryable: true, retryAfter: 60_000 }),
  )
  const running = persist(work, rest).catch((reason) => reason)
  setTimeout(() => controller.abort('enough'), 5)
  assert.is(await running, 'enough')
})

test('a signal that was already aborted lets nothing begin', async () => {
  const { controller, ...rest } = plan()
  controller.abort('no')
  const { work, tries } = failing()
  assert.is(await persist(work, rest).catch((reason) => reason), 'no')
  assert.is(tries.count, 0)
})

test('an error that was not foreseen is wrapped and not repeated', async () => {
  const bug = new RangeError('off by one')
  const { work, tries } = failing(bug)
  const error = await persist(work, plan()).catch((reason) => reason)
  assert.is(error.code, 'CLIENT_FAILED')
  assert.is(error.cause, bug)
  assert.is(tries.count, 1)
})

test('while the browser is offline it waits for it to be online, however long', async () => {
  const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  const browser = { onLine: false }
  const events = new EventTarget()
  Object.defineProperty(globalThis, 'navigator', { value: browser, configurable: true })
  Object.assign(globalThis, {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
  })
  try {
    const { work, tries } = failing(passing)
    const notices: RetryNotice[] = []
    const onRetry = (notice: RetryNotice) => notices.push(notice)
    const running = persist(work, { ...plan(), onRetry })
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.is(tries.count, 1, 'longer than any delay of this plan')
    assert.is(notices[0]?.offline, true)
    browser.onLine = true
    events.dispatchEvent(new Event('online'))
    assert.is(await running, 'done')
  } finally {
    if (navigator) Object.defineProperty(globalThis, 'navigator', navigator)
    Reflect.deleteProperty(globalThis, 'addEventListener')
    Reflect.deleteProperty(globalThis, 'removeEventListener')
  }
})

test('delays double up to a limit, and their upper half is random', () => {
  const delays = { minDelay: 100, maxDelay: 1000 }
  const longest = [1, 2, 3, 4, 5, 60].map((n) => backoff(n, delays, () => 1))
  assert.equal(longest, [100, 200, 400, 800, 1000, 1000])
  assert.is(
    backoff(3, delays, () => 0),
    200,
  )
})

test.run()
