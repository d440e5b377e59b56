import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaClientError } from '../../../../client/errors.ts'
import type { FileStatus } from '../../../../client/file-upload.ts'
import {
  sentenceOf,
  viewOfActive,
  viewOfFinished,
  viewOfWaiting,
} from '../../../../client/page/view.ts'

const test = suite('what the demo page says of a file')

const MiB = 1024 * 1024
const uploading: FileStatus = {
  name: 'a.bin',
  size: 10 * MiB,
  type: '',
  state: 'uploading',
  activity: 'sending',
  progress: { sent: 4 * MiB, size: 10 * MiB, fraction: 0.4, rate: 2 * MiB, eta: 3 },
  retry: null,
  error: null,
  result: null,
}

function viewOf(change: Partial<FileStatus>, retryAt = 0, now = 0) {
  const view = viewOfActive({ ...uploading, ...change }, retryAt, now)
  const actions = view.actions.map(({ label }) => label)
  return { ...view, actions, detail: view.detail.replaceAll('\u00a0', ' ') }
}

function failure(code: string, status: number | null) {
  return new CarcosaClientError(code, { message: 'The server says so.', status })
}

test('a file on its way shows how far, how fast and how long', () => {
  const { detail, actions, fraction, look } = viewOf({})
  assert.is(detail, '4.00 MB of 10.0 MB · 40 % · 2.00 MB/s · 3 s left')
  assert.equal(actions, ['Pause', 'Cancel'])
  assert.is(fraction, 0.4)
  assert.is(look, 'moving')
})

test('a rate that is not known is not shown', () => {
  const progress = { ...uploading.progress, rate: null, eta: null }
  assert.is(viewOf({ progress }).detail, '4.00 MB of 10.0 MB · 40 %')
})

test('a file that waits for the next try counts down, and may be tried at once', () => {
  const retry = {
    failures: 2,
    delay: 4000,
    error: failure('NETWORK', null),
    offline: false,
  }
  const view = viewOf({ activity: 'retrying', retry }, 10_000, 7_000)
  assert.match(view.detail, /^Trying again in 3 s · /)
  assert.is(view.note, 'The server does not answer.')
  assert.equal(view.actions, ['Try now', 'Cancel'])
})

test('a file that waits for the network says so, not when', () => {
  const retry = {
    failures: 1,
    delay: 500,
    error: failure('NETWORK', null),
    offline: true,
  }
  const view = viewOf({ activity: 'retrying', retry }, 10_000, 7_000)
  assert.match(view.detail, /^Offline · /)
  assert.match(view.note, /^You are offline\./)
})

test('only what may succeed another time is offered to be tried again', () => {
  const cases: [string, number | null, string[]][] = [
    ['FILE_TOO_LARGE', 413, ['Remove']],
    ['TYPE_NOT_ALLOWED', 415, ['Remove']],
    ['FILE_UNREADABLE', null, ['Remove']],
    ['STORAGE_FULL', 507, ['Try again', 'Cancel']],
    ['NETWORK', null, ['Try again', 'Cancel']],
  ]
  for (const [code, status, actions] of cases) {
    const view = viewOf({ state: 'failed', activity: null, error: failure(code, status) })
    assert.equal(view.actions, actions, code)
    assert.is(view.look, 'wrong')
    assert.ok(view.note.length > 0)
  }
})

test('the sentence of the server is shown as it is', () => {
  assert.is(sentenceOf(failure('FILE_TOO_LARGE', 413)), 'The server says so.')
})

const remembered = {
  url: 'http://127.0.0.1/uploads/demo/1',
  ticket: null,
  route: 'demo',
  name: 'a.bin',
  size: 10 * MiB,
  createdAt: 0,
  expiresAt: null,
  key: 'k',
  paused: false,
}

test('an upload of an earlier visit asks for its file, or only for a click', () => {
  const facts = { received: 5 * MiB, hasHandle: false, note: '' }
  const without = viewOfWaiting(remembered, facts)
  assert.is(without.note, 'Choose the same file again to continue.')
  assert.is(without.actions[0]?.name, 'choose')
  assert.is(without.fraction, 0.5)
  const having = viewOfWaiting(remembered, { ...facts, hasHandle: true })
  assert.is(having.note, '')
  assert.is(having.actions[0]?.name, 'continue')
})

test('a file that arrived shows its link and its digest', () => {
  const file = { id: '1', name: 'a.bin', size: 10, type: 'text/plain' }
  const view = viewOfFinished({ ...file, url: 'http://x/files/1', sha256: 'ab' })
  assert.is(view.link, 'http://x/files/1')
  assert.is(view.sha256, 'ab')
  assert.is(view.detail.replaceAll('\u00a0', ' '), '10 B · text/plain')
})

test.run()
