import { main } from '../../src/cli/main.ts'

/** How a command ended. */
export interface Ended {
  code: number
  out: string
  err: string
}

/** Runs `carcosa ...args` in `cwd`, in this process and without its environment. */
export async function mainIn(cwd: string, args: readonly string[]): Promise<Ended> {
  const said = { out: '', err: '' }
  const writer = (name: 'out' | 'err') => (text: string) => {
    said[name] += text
  }
  const code = await main(args, {
    stdout: { write: writer('out') },
    stderr: { write: writer('err') },
    env: {},
    cwd,
  })
  return { code, ...said }
}
