/** Dashboard and alerts of examples/deploy ask for metrics that the program exports. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startServer } from '../support/command.ts'
import { postgres } from '../support/postgres.ts'

const deploy = join(import.meta.dirname, '../../examples/deploy')

/** Every metric that is asked for, with the labels it is asked by. */
function asked(): Map<string, Set<string>> {
  const texts = ['grafana/dashboard.json', 'alerts.yml'].map((name) =>
    readFileSync(join(deploy, name), 'utf8').replaceAll('\\"', '"'),
  )
  const found = new Map<string, Set<string>>()
  for (const text of texts) {
    for (const [, name = '', selector = ''] of text.matchAll(
      /(carcosa_[a-z_]+)(?:\{([^}]*)\})?/g,
    )) {
      const labels = found.get(name) ?? new Set()
      for (const [, label = ''] of selector.matchAll(/(\w+)=~?"/g)) labels.add(label)
      // Prometheus itself knows these.
      for (const own of ['instance', 'job', 'le']) labels.delete(own)
      found.set(name, labels)
    }
  }
  return found
}

const metrics = suite('dashboard and alerts')

metrics('ask for nothing that is not exported', async () => {
  const database = await postgres()
  const server = await startServer(['--database', database.url, '--admin-port', '0'])
  const [, admin = ''] = await server.printed(/(http:\S+)\/metrics/)
  // So that every label has been seen once.
  await fetch(`${server.url}/uploads/nowhere`, { method: 'POST' })
  const text = await (await fetch(`${admin}/metrics`)).text()
  const kinds = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [
      name,
      kind,
    ]),
  )
  const used = asked()
  assert.ok(used.size > 15, `${used.size}`)
  for (const [name, labels] of used) {
    const base = name.replace(/_(bucket|sum|count)$/, '')
    assert.ok(
      kinds.has(name) || kinds.get(base) === 'histogram',
      `${name} is not exported`,
    )
    const lines = text.match(new RegExp(`^${name}(\\{.*\\})? `, 'gm')) ?? []
    for (const label of lines.length > 0 ? labels : []) {
      assert.ok(
        lines.some((line) => line.includes(`${label}="`)),
        `${name} has no ${label}`,
      )
    }
  }
  await server.stop()
  await database.drop()
})

metrics.run()
