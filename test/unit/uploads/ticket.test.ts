import { EncryptJWT } from 'jose'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { createTicketOffice, type Ticket } from '../../../src/uploads/ticket.ts'

const test = suite('uploads/ticket')

const secret = 'a secret of more than thirty-two characters'
const other = 'another secret, also of more than thirty-two'
const inAnHour = () => new Date(Date.now() + 3_600_000)
const anHourAgo = () => new Date(Date.now() - 3_600_000)

const ticket: Ticket = {
  route: 'avatar',
  batchId: 'batch_0123456789abcdef',
  batchIndex: 2,
  filename: 'grün 🦆.png',
  declaredType: 'image/png',
  size: 2 ** 53 - 1,
  contentDisposition: 'inline',
  acl: 'private',
  projectId: 'default',
  ownerId: 'ann',
  storeName: 'default',
  input: { album: 'a' },
  metadata: { note: 'not for the client', none: null },
}

test('what was agreed comes back as it was', async () => {
  const office = createTicketOffice([secret])
  const token = await office.issue(ticket, inAnHour())
  assert.equal(await office.read(token, { late: false }), ticket)
})

test('its holder cannot read what middleware put in', async () => {
  const token = await createTicketOffice([secret]).issue(ticket, inAnHour())
  const parts = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  assert.not.match(parts.join(), 'not for the client')
  assert.not.match(parts.join(), 'avatar')
})

test('two tickets for the same agreement differ', async () => {
  const office = createTicketOffice([secret])
  const expiresAt = inAnHour()
  assert.is.not(
    await office.issue(ticket, expiresAt),
    await office.issue(ticket, expiresAt),
  )
})

test('when its time is over it creates nothing', async () => {
  const office = createTicketOffice([secret])
  const token = await office.issue(ticket, anHourAgo())
  assert.is(await refusal(office.read(token, { late: false })), 'TICKET_INVALID')
})

test('when its time is over it still names its upload', async () => {
  const office = createTicketOffice([secret])
  const token = await office.issue(ticket, anHourAgo())
  assert.equal(await office.read(token, { late: true }), ticket)
})

test('after a rotation old tickets are read, new ones are made with the new secret', async () => {
  const before = createTicketOffice([secret])
  const after = createTicketOffice([other, secret])
  const old = await before.issue(ticket, inAnHour())
  assert.equal(await after.read(old, { late: false }), ticket)
  const fresh = await after.issue(ticket, inAnHour())
  assert.is(await refusal(before.read(fresh, { late: false })), 'TICKET_INVALID')
})

const issued = await createTicketOffice([secret]).issue(ticket, inAnHour())
const [header = '', key = '', iv = '', text = '', tag = ''] = issued.split('.')
const flipped = (part: string) => (part.startsWith('A') ? 'B' : 'A') + part.slice(1)
const foreign = await new EncryptJWT({ ticket })
  .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'carcosa-ticket' })
  .setExpirationTime(inAnHour())
  .encrypt(new Uint8Array(32))
const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
  JSON.stringify({ ticket, exp: 9e9 }),
).toString('base64url')}.`

const bad: [what: string, token: string][] = [
  ['nothing', ''],
  ['a word', 'ticket'],
  ['text that is no token', '🦆.🦆.🦆.🦆.🦆'],
  ['a token with another text', [header, key, iv, flipped(text), tag].join('.')],
  ['a token with another tag', [header, key, iv, text, flipped(tag)].join('.')],
  ['a token with another nonce', [header, key, flipped(iv), text, tag].join('.')],
  ['a token with another header', [flipped(header), key, iv, text, tag].join('.')],
  ['half a token', issued.slice(0, issued.length / 2)],
  ['a token and more', `${issued}A`],
  ['a token of another server', foreign],
  ['a token that is not encrypted', unsigned],
]

for (const [what, token] of bad) {
  for (const late of [false, true]) {
    test(`${what} is no ticket${late ? ', also not a late one' : ''}`, async () => {
      const office = createTicketOffice([secret])
      assert.is(await refusal(office.read(token, { late })), 'TICKET_INVALID')
    })
  }
}

test('the refusal says what to do and not why', async () => {
  const error = await createTicketOffice([secret])
    .read('x', { late: false })
    .catch((caught) => caught)
  assert.match(error.message, 'prepare')
  assert.is(error.status, 403)
})

test('metadata that does not fit into a header is the fault of the middleware', async () => {
  const office = createTicketOffice([secret])
  const metadata = { text: 'x'.repeat(10_000) }
  const error = await office
    .issue({ ...ticket, metadata }, inAnHour())
    .catch((caught) => caught)
  assert.is(error.code, 'MIDDLEWARE_FAILED')
  assert.match(error.message, 'avatar')
  assert.is(error.details.maxLength, 8192)
})

test('an office without a secret is a mistake of the program', () => {
  assert.throws(() => createTicketOffice([]), /at least one secret/)
})

test.run()

async function refusal(reading: Promise<Ticket>): Promise<string> {
  return reading.then(
    () => 'read',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}
