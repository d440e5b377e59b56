import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CarcosaClientError,
  type FileStatus,
  type UploadStatus,
} from '../../../../client/index.ts'
import { createDisplay } from '../../../../src/cli/upload/display.ts'

const MiB = 1024 * 1024
const unknown = { rate: null, eta: null }

function fileAt(sent: number, change: Partial<FileStatus> = {}): FileStatus {
  const size = 100 * MiB
  return {
    name: 'a.bin',
    size,
    type: '',
    state: 'uploading',
    activity: 'sending',
    progress: { sent, size, fraction: sent / size, rate: 2 * MiB, eta: 75 },
    retry: null,
    error: null,
    result: null,
    ...change,
  }
}

/** What is written for these events, on a terminal or not. */
function shown(
  events: [event: object, status: FileStatus][],
  { isTTY = false, columns = 80 } = {},
) {
  let text = ''
  const output = { write: (more: string) => (text += more), isTTY, columns }
  const display = createDisplay({ stdout: output, stderr: output, env: {}, cwd: '/' })
  const file = { current: fileAt(0) }
  for (const [event, status] of events) {
    file.current = status
    const whole: UploadStatus = {
      state: 'uploading',
      progress: { sent: 0, size: 0, fraction: 0, ...unknown },
      files: [status],
    }
    // The display looks at nothing of the file but `current`.
    display.show({ ...event, file } as never, whole)
  }
  return { text, display, all: () => text }
}

const progress = { type: 'progress' }
const test = suite('the display of carcosa upload')

test('a log gets a line for every ten percent, and no control characters', () => {
  const { text } = shown([0, 5, 10, 11, 19, 30].map((at) => [progress, fileAt(at * MiB)]))
  assert.is(text, 'a.bin: 10 % 2 MB/s 1:15\na.bin: 30 % 2 MB/s 1:15\n')
})

test('a terminal gets a bar that fits its width', () => {
  for (const columns of [200, 80, 40, 20]) {
    const { text } = shown([[{ type: 'state' }, fileAt(50 * MiB)]], {
      isTTY: true,
      columns,
    })
    const [line = ''] = text.split('\n')
    assert.ok(line.length < columns, `${line.length} of ${columns}`)
    assert.match(line, ' 50 %')
  }
})

test('the bar is drawn over the one before, and removed in the end', () => {
  const state = { type: 'state' }
  const { text, display, all } = shown(
    [
      [state, fileAt(MiB)],
      [state, fileAt(2 * MiB)],
    ],
    { isTTY: true },
  )
  assert.is(text.split('\x1b[1A\x1b[J').length, 2)
  display.close()
  assert.ok(all().endsWith('\r\x1b[1A\x1b[J'))
})

test('a failed try is told, the fourth is not', () => {
  const error = new CarcosaClientError('NETWORK', { message: 'No answer.' })
  const retry = (failures: number): [object, FileStatus] => [
    { type: 'retry', retry: { failures, delay: 1600, error, offline: false } },
    fileAt(0),
  ]
  const { text } = shown([retry(1), retry(4)])
  assert.is(text, 'a.bin: No answer. Trying again in 2 s (1).\n')
})

test('going on and beginning anew are told', () => {
  const error = new CarcosaClientError('UPLOAD_GONE')
  const { text } = shown([
    [{ type: 'resume', offset: 63 * MiB }, fileAt(0)],
    [{ type: 'resume', offset: 0 }, fileAt(0)],
    [{ type: 'restart', error }, fileAt(0)],
  ])
  assert.match(text, 'a.bin: going on from 63 MB of 100 MB.\n')
  assert.match(text, '(UPLOAD_GONE). Beginning anew.\n')
  assert.is(text.split('\n').length, 3)
})

test('a name cannot command the terminal', () => {
  const name = 'a\x1b[2J\u202e\n.bin'
  for (const isTTY of [true, false]) {
    const { text } = shown(
      [
        [{ type: 'resume', offset: MiB }, fileAt(MiB, { name })],
        [progress, fileAt(20 * MiB, { name })],
      ],
      { isTTY },
    )
    assert.not.match(text, '\x1b[2J')
    assert.match(text, 'a?[2J??.bin')
  }
})

test.run()
