import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseUploadArgs } from '../../../../src/cli/upload/options.ts'
import { type Io, UsageError } from '../../../../src/cli/verb.ts'

function parse(args: string[], env: Io['env'] = { HOME: '/home/ann' }) {
  const silent = { write: () => true }
  return parseUploadArgs(args, { stdout: silent, stderr: silent, env, cwd: '/here' })
}

const whole = ['a.bin', '--route', 'demo', '--to', 'http://127.0.0.1:8080/media']
const test = suite('the command line of carcosa upload')

test('is read', () => {
  const headers = ['--header', 'Authorization: Bearer a:b', '--header', 'x-two:2']
  const read = parse([...whole, 'b.bin', '--input', '{"a":1}', '--json', ...headers])
  assert.equal(read.paths, ['a.bin', 'b.bin'])
  assert.is(read.route, 'demo')
  assert.is(read.to.href, 'http://127.0.0.1:8080/media')
  assert.equal(read.input, { a: 1 })
  assert.equal(read.headers, { authorization: 'Bearer a:b', 'x-two': '2' })
  assert.is(read.json, true)
})

const directories: [args: string[], env: Io['env'], directory: string | null][] = [
  [['--state-dir', 'state'], {}, '/here/state'],
  [['--state-dir', '/state'], {}, '/state'],
  [[], { XDG_CACHE_HOME: '/cache', HOME: '/home/ann' }, '/cache/carcosa/uploads'],
  [['--no-resume'], { HOME: '/home/ann' }, null],
]
for (const [args, env, directory] of directories) {
  test(`with "${args.join(' ')}" and ${JSON.stringify(env)} it remembers in ${directory}`, () => {
    assert.is(parse([...whole, ...args], env).stateDirectory, directory)
  })
}

const mistakes: [args: string[], said: string][] = [
  [[], 'Which file?'],
  [['a.bin', '--to', 'http://a.b'], '--route <name>'],
  [['a.bin', '--route', '', '--to', 'http://a.b'], '--route <name>'],
  [['a.bin', '--route', 'demo'], '--to <url>'],
  [['a.bin', '--route', 'demo', '--to', '/media'], 'must be an http or https URL'],
  [['a.bin', '--route', 'demo', '--to', 'ftp://a.b'], 'must be an http or https URL'],
  [[...whole, '--input', '{'], 'must be JSON'],
  [[...whole, '--header', 'x'], '"name: value"'],
  [[...whole, '--header', 'a b: c'], '"name: value"'],
  [[...whole, '--header', ': c'], '"name: value"'],
  [['a.bin', '--rout', 'demo'], 'Did you mean --route?'],
]
for (const [args, said] of mistakes) {
  test(`"${args.join(' ')}" is refused and told why`, () => {
    assert.throws(
      () => parse(args),
      (error: unknown) => error instanceof UsageError && error.message.includes(said),
    )
  })
}

test('the value of a header is never repeated', () => {
  assert.throws(
    () => parse([...whole, '--header', 'bad name: secret']),
    (error: Error) => !error.message.includes('secret'),
  )
})

test.run()
