import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  liveMessage,
  sseFrame,
  storedMessage,
  streamMessage,
} from '../../../src/events/message.ts'
import { EventStream } from '../../support/event-stream.ts'

const test = suite('what subscribers are sent')

test('a line break of any kind cannot end a field or an event (SEC-33)', () => {
  for (const end of ['\n', '\r', '\r\n', '\n\n', '\r\r', '\n\r\n']) {
    const stream = new EventStream()
    const data = JSON.stringify({ a: 1 }).replace(':', `:${end}`)
    const type = `file.stored${end}event: file.removed`
    stream.feed(sseFrame({ number: 7, type, data }))
    assert.is(stream.events.length, 1, JSON.stringify(end))
    assert.is(stream.events[0]?.id, '7')
    assert.match(String(stream.events[0]?.type), /^file\.stored +event: file\.removed$/)
    assert.equal(stream.events[0]?.data, { a: 1 })
  }
})

test('only what is stored has a number', () => {
  const stored = storedMessage({
    number: 7,
    type: 'file.stored',
    at: new Date(0),
    data: { id: 'x' },
    fileId: 'x',
    route: null,
    batchId: null,
  })
  const live = liveMessage({ type: 'upload.progress', data: '{"id":"x"}' })
  assert.is(
    String(stored.sse()),
    'id: 7\nevent: file.stored\ndata: {"id":"x","at":"1970-01-01T00:00:00.000Z"}\n\n',
  )
  assert.is(String(live.sse()), 'event: upload.progress\ndata: {"id":"x"}\n\n')
})

test('over WebSocket each is JSON that says what it is', () => {
  const told = [
    liveMessage({ type: 'upload.progress', data: '{"id":"x"}' }),
    streamMessage('stream.gap', { after: 1 }),
    streamMessage('stream.dropped', { reason: 'slow' }),
  ].map((message) => JSON.parse(message.socket()))
  assert.equal(told, [
    { type: 'progress', event: 'upload.progress', data: { id: 'x' } },
    { type: 'gap', event: 'stream.gap', data: { after: 1 } },
    { type: 'dropped', event: 'stream.dropped', data: { reason: 'slow' } },
  ])
})

test.run()
