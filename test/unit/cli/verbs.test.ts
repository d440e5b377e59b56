import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { main, verbs } from '../../../src/cli/main.ts'

const directory = join(import.meta.dirname, '../../../src/cli')

async function run(...args: string[]) {
  const said = { out: '', err: '' }
  const code = await main(args, {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    env: {},
    cwd: '/nowhere',
  })
  return { code, ...said }
}

const registry = suite('the list of verbs')

for (const file of readdirSync(directory).filter((name) => name.endsWith('.ts'))) {
  registry(`${file} is listed in src/cli/main.ts if it is a verb`, async () => {
    const module = await import(join(directory, file))
    if (module.verb === undefined) return
    assert.ok(verbs.includes(module.verb), `add the verb of src/cli/${file} to main.ts`)
    assert.is(`${module.verb.name}.ts`, file)
  })
}

for (const verb of verbs) {
  registry(`${verb.name} is explained by help and by --help alike`, async () => {
    const help = await run('help', verb.name)
    assert.is(help.code, 0)
    assert.ok(help.out.startsWith(`Usage: carcosa ${verb.name}`))
    assert.equal(await run(verb.name, '--help'), help)
    assert.match((await run('help')).out, verb.summary)
  })
}

registry.run()

const usage = suite('a command line that makes no sense')

const rows: [args: string[], ...said: string[]][] = [
  [[], 'Usage: carcosa <verb>', 'start'],
  [['strat'], 'no verb "strat"', 'Did you mean start?', 'carcosa help'],
  [['frobnicate'], 'no verb "frobnicate"', 'There are: start'],
  [['help', 'migrat'], 'Did you mean migrate?'],
  [['help', 'start', 'stop'], '"stop" was not expected', 'carcosa help help'],
  [
    ['start', '--prot', '1'],
    'no flag --prot',
    'Did you mean --port?',
    'carcosa help start',
  ],
  [['start', '--prot=1'], 'no flag --prot'],
  [['start', '--secret', 'x'], 'no flag --secret'],
  [['start', '--port'], '--port', 'carcosa help start'],
  [['start', '--no-port'], '--no-port'],
  [['start', '--worker=yes'], '--worker'],
  [['start', '-p', '1'], "'-p'"],
  [['start', 'now'], '"now" was not expected'],
  [['migrate', '--statsu'], 'Did you mean --status?'],
  [['version', '--long'], 'no flag --long'],
]

for (const [args, ...said] of rows) {
  usage(
    `"${args.join(' ')}" ends with code 2 and says why on standard error`,
    async () => {
      const { code, out, err } = await run(...args)
      assert.is(code, 2)
      assert.is(out, '')
      for (const part of said)
        assert.ok(err.includes(part), `"${part}" is missing in: ${err}`)
      assert.not.match(err, '    at ', 'no stack for a mistake in typing')
    },
  )
}

usage('a wrong value ends with code 1, its error code and one line', async () => {
  const { code, out, err } = await run('start', '--port', 'x')
  assert.is(code, 1)
  assert.is(out, '')
  assert.match(err, /^carcosa: CONFIG_INVALID: --port is 'x'[^\n]+\n$/)
})

usage('the version is printed by verb and flag', async () => {
  const { code, out } = await run('version')
  assert.is(code, 0)
  assert.match(out, /^carcosa \d+\.\d+\.\d+ \(node \d+/)
  assert.is((await run('--version')).out, out)
})

usage.run()
