import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/cli/doctor/checks.ts'

const directory = join(import.meta.dirname, '../../../src/cli/doctor/checks')

const registry = suite('the list of checks of the doctor')

for (const file of readdirSync(directory)) {
  registry(`${file} is listed in src/cli/doctor/checks.ts`, async () => {
    const { check } = await import(join(directory, file))
    assert.ok(checks.includes(check), `add the check of ${file} to checks.ts`)
    assert.is(`${check.name}.ts`, file)
  })
}

registry('each comes after what it needs', () => {
  for (const [at, { name, needs }] of checks.entries()) {
    const before = checks.slice(0, at).map((check) => check.name)
    for (const need of needs) assert.ok(before.includes(need), `${name} needs ${need}`)
  }
})

registry.run()
