import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Api, Prepared } from '../../../client/api.ts'
import { CarcosaClientError } from '../../../client/errors.ts'
import { retryPolicy } from '../../../client/retry.ts'
import { createTickets, type Grant, type Taker } from '../../../client/tickets.ts'

const files = [
  { name: 'a', size: 1, type: '' },
  { name: 'b', size: 2, type: '' },
]

/** Tickets whose server answers with what `prepare` returns, and counts the questions. */
function subject(
  prepare: (nth: number, signal: AbortSignal) => Promise<Prepared>,
  direct = false,
) {
  const asked = { count: 0 }
  const api: Pick<Api, 'prepare'> = {
    prepare: (_route, batch, { signal }) => {
      const asking = direct ? { direct } : {}
      assert.equal(batch, { files, input: 7, ...asking }, 'always the whole batch')
      return prepare(asked.count++, signal)
    },
  }
  const tickets = createTickets({
    // Tickets use nothing else of it.
    api: api as Api,
    route: 'demo',
    files,
    input: 7,
    direct,
    headers: undefined,
    policy: { ...retryPolicy(), attempts: 3, minDelay: 1, maxDelay: 2 },
    isRetryable: (error) => error.retryable,
  })
  return { tickets, asked }
}

function taker() {
  const controller = new AbortController()
  const retries: number[] = []
  const value: Taker = {
    signal: controller.signal,
    onRetry: ({ failures }) => void retries.push(failures),
  }
  return { value, controller, retries }
}

const given = (nth: number): Prepared => ({
  errors: [],
  files: files.map(({ name }) => ({ ticket: `${name}${nth}` })),
})
const ticketOf = ({ ticket }: Grant) => ticket
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing was thrown',
    (error) => error.code,
  )
const test = suite('the tickets of a batch')

test('are asked for once, when the first is needed', async () => {
  const { tickets, asked } = subject(async (nth) => given(nth))
  assert.is(asked.count, 0)
  const both = [tickets.take(0, taker().value), tickets.take(1, taker().value)]
  assert.equal((await Promise.all(both)).map(ticketOf), ['a0', 'b0'])
  assert.is(ticketOf(await tickets.take(0, taker().value)), 'a0')
  assert.is(asked.count, 1)
})

test('are asked for anew when one was discarded; the others stay good', async () => {
  const { tickets, asked } = subject(async (nth) => given(nth))
  await tickets.take(0, taker().value)
  tickets.discard('a0')
  assert.is(ticketOf(await tickets.take(0, taker().value)), 'a1')
  assert.is(asked.count, 2)
})

test('are asked for with a way past the server, and come with it where there is one', async () => {
  const direct = { url: '/uploads/demo/1', parts: [] }
  const files = [{ ticket: 'a', direct }, { ticket: 'b' }]
  const { tickets } = subject(async () => ({ errors: [], files }), true)
  assert.is((await tickets.take(0, taker().value)).offer, direct)
  assert.is((await tickets.take(1, taker().value)).offer, undefined)
})

test('a refused file, a refused batch and an empty verdict are told apart', async () => {
  const error = { code: 'FILE_TOO_LARGE', detail: 'Too large.' }
  const many = { code: 'TOO_MANY_FILES', detail: 'Too many.' }
  const one = subject(async () => ({ errors: [], files: [{ error }, { ticket: 'b' }] }))
  assert.is(await codeOf(one.tickets.take(0, taker().value)), 'FILE_TOO_LARGE')
  assert.is(ticketOf(await one.tickets.take(1, taker().value)), 'b')
  const all = subject(async () => ({ errors: [many], files: [{}, {}] }))
  assert.is(await codeOf(all.tickets.take(1, taker().value)), 'TOO_MANY_FILES')
  const none = subject(async () => ({ errors: [], files: [{}, {}] }))
  assert.is(await codeOf(none.tickets.take(0, taker().value)), 'RESPONSE_INVALID')
})

test('what may pass is repeated, and everyone who waits is told', async () => {
  const { tickets } = subject(async (nth) => {
    if (nth < 2) throw new CarcosaClientError('NETWORK', { retryable: true })
    return given(nth)
  })
  const [first, second] = [taker(), taker()]
  await Promise.all([tickets.take(0, first.value), tickets.take(1, second.value)])
  assert.equal(first.retries, [1, 2])
  assert.equal(second.retries, [1, 2])
})

test('after a failure whoever asks later asks the server again', async () => {
  const { tickets, asked } = subject(async (nth) => {
    if (nth === 0) throw new CarcosaClientError('UNAUTHENTICATED')
    return given(nth)
  })
  assert.is(await codeOf(tickets.take(0, taker().value)), 'UNAUTHENTICATED')
  assert.is(ticketOf(await tickets.take(0, taker().value)), 'a1')
  assert.is(asked.count, 2)
})

test('who leaves does not take the tickets from the others', async () => {
  let answer = (_: Prepared) => {}
  const { tickets } = subject(() => new Promise((resolve) => (answer = resolve)))
  const [leaving, staying] = [taker(), taker()]
  const left = tickets.take(0, leaving.value).catch((reason) => reason)
  const stayed = tickets.take(1, staying.value)
  leaving.controller.abort('paused')
  assert.is(await left, 'paused')
  answer(given(0))
  assert.is(ticketOf(await stayed), 'b0')
})

test('the last to leave ends the question, and the next one asks a new one', async () => {
  const signals: AbortSignal[] = []
  const { tickets, asked } = subject(async (nth, signal) => {
    signals.push(signal)
    if (nth > 0) return given(nth)
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  })
  const leaving = taker()
  const left = tickets.take(0, leaving.value).catch((reason) => reason)
  leaving.controller.abort('paused')
  // At once, before the end of the first question is known.
  assert.is(ticketOf(await tickets.take(0, taker().value)), 'a1')
  assert.is(await left, 'paused')
  assert.is(signals[0]?.aborted, true)
  assert.is(asked.count, 2)
})

test.run()
