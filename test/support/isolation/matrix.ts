import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answered, Asked } from '../exchange.ts'
import { type Caller, callers, refused, removed } from './callers.ts'
import { type Row, rowsOf } from './rows.ts'
import type { At } from './targets.ts'
import { firstOf, type IsolationWorld, type Place } from './world.ts'

/** A request without who asks. Changes nothing if it is refused. */
export type MakeRequest = (world: IsolationWorld, at: At) => Promise<Asked>

export interface Matrix {
  world(): IsolationWorld
  readonly table: string
  /** By the names of the rows. */
  readonly requests: Readonly<Record<string, MakeRequest>>
}

/** What was asked about, and is still to be there: it was not theirs to change. */
export type Kept = ReadonlyMap<string, Asked>

/** Adds a test for each row of a table: everybody asks for every target, and is answered by it. */
export function matrix(test: Test, { world, table, requests }: Matrix): Kept {
  const { columns, rows } = rowsOf(table)
  const kept = new Map<string, Asked>()
  const known = new Map<string, Caller>()
  const unknown = new Map<string, Caller>()
  test.before(async () => {
    for (const [name, make] of Object.entries(callers))
      known.set(name, await make(world()))
    for (const [name, make] of Object.entries(refused))
      unknown.set(name, await make(world()))
  })

  test('every request has a row, every caller a column, and nothing else has', () => {
    const named = rows.map(({ operation }) => operation)
    assert.equal(named.sort(), Object.keys(requests).sort())
    assert.equal(columns, Object.keys(callers))
    for (const { operation, cells, targets } of rows) {
      assert.is(cells.length, columns.length, operation)
      for (const cell of cells) assert.is(cell.length, targets.length, operation)
    }
  })

  for (const row of rows) {
    const make = requests[row.operation]
    if (!make) continue
    test(`${row.operation}: everybody is answered by the table`, async () => {
      const found: string[] = []
      for (const [i, name] of columns.entries()) {
        const caller = known.get(name)
        if (!caller) throw new TypeError(`nobody is called ${name}`)
        const wanted = row.cells[i] ?? ''
        const asking = { world: world(), kept, row, make, caller }
        const signs = row.targets.map(
          (target, j) => async () =>
            signOf({ ...asking, target, wanted: wanted[j] ?? '' }),
        )
        let line = `${name}: `
        for (const sign of signs) line += await sign()
        found.push(line)
      }
      assert.equal(
        found,
        row.cells.map((cell, i) => `${columns[i]}: ${cell}`),
      )
    })

    test(`${row.operation}: a credential that is worth nothing is refused, whatever it asks for`, async () => {
      const asked = await make(world(), { place: placeOf(world(), 'other') })
      for (const [name, caller] of unknown) {
        const answered = await ask(world(), asked, caller)
        assert.is(answered.status, 401, `${name}: ${answered.text}`)
        if (answered.text) assert.is(codeOf(answered), 'UNAUTHENTICATED', name)
      }
      const answered = await ask(world(), asked, await removed(world()))
      assert.is(answered.status, 404, answered.text)
      if (answered.text) assert.is(codeOf(answered), 'PROJECT_NOT_FOUND')
    })
  }
  return kept
}

interface Question {
  readonly world: IsolationWorld
  readonly kept: Map<string, Asked>
  readonly row: Row
  readonly make: MakeRequest
  readonly caller: Caller
  readonly target: string
  /** The sign in the table. */
  readonly wanted: string
}

async function signOf(question: Question): Promise<string> {
  const { world, caller, target, make } = question
  if (target !== 'absent' && target !== 'within') {
    const place = target === 'own' ? caller.place : placeOf(world, target)
    const asked = await requestFor(question, { place })
    return sign(question, await ask(world, asked, caller))
  }
  const below = target === 'within' ? { below: world.a.id } : {}
  const foreign = await requestFor(question, {
    place: placeOf(world, 'foreign'),
    ...below,
  })
  const unknown = await make(world, { place: null, ...below })
  const answers = [
    await ask(world, foreign, caller),
    await ask(world, unknown, caller),
  ] as const
  assert.equal(seen(answers[0]), seen(answers[1]), 'foreign and unknown differ')
  return sign(question, answers[0])
}

/** What nobody may change is made once. */
async function requestFor({ world, kept, row, make, ...more }: Question, at: At) {
  const { caller, target, wanted } = more
  const name = `${row.operation} ${target === 'own' ? caller.place.ownerId : target}`
  const before = wanted === '+' ? undefined : kept.get(name)
  if (before) return before
  const made = await make(world, at)
  if (wanted !== '+') kept.set(name, made)
  return made
}

function placeOf({ a, c }: IsolationWorld, target: string): Place {
  const tenant = target === 'foreign' ? c : a
  const [, next = ''] = a.projects
  const projectId = target === 'next' ? next : firstOf(tenant)
  const { id: organizationId, ownerId } = tenant
  return { organizationId, projectId, ownerId, route: 'mine' }
}

/** By the door of the runtime: what node:http adds to an answer is not ours. */
function ask(world: IsolationWorld, asked: Asked, { headers }: Caller) {
  const all = { 'X-Request-Id': 'same', ...asked.headers, ...headers }
  return world.server.doors.fetch({ ...asked, headers: all })
}

function sign({ row, target }: Question, answered: Answered): string {
  const { status, text } = answered
  const code = codeOf(answered)
  if (status === row.ok)
    return /^\{"(deleted":\[\]|urls":\[null\])/.test(text) ? '0' : '+'
  if (status === 403 && ['FORBIDDEN', ''].includes(code)) return 'x'
  if (status === 401 && ['UNAUTHENTICATED', ''].includes(code)) return 'u'
  if (status === 409 && code === 'ORGANIZATION_NOT_EMPTY') return '!'
  if (status === 404 && [row.missing(target), ''].includes(code)) return '-'
  if (status === 404 && code === row.missing('absent')) return 'o'
  return ` ${status} ${code} `
}

/** Empty if there is no body: of HEAD only the status is told. */
function codeOf({ text }: Answered): string {
  return text.startsWith('{') ? String(JSON.parse(text).code) : ''
}

/** All that a client gets to see, but for the time. */
function seen({ status, headers: { date, ...others }, text }: Answered) {
  return { status, others, text }
}
